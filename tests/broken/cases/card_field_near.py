# expect: matrix: vm_nics (from host data, FILE:here): [0].adress: unknown field; did you mean address? [ZT101]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_nics": [{"bridge": "br0", "adress": "192.0.2.21/24"}],  # <- here
        },
    )
]
