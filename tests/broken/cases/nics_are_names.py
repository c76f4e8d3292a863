# expect: matrix: vm_nics (from host data, FILE:here): [0]: 'br0' is not a card; write its fields, for instance {"network": "default"} [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_nics": ["br0"],  # <- here
        },
    )
]
