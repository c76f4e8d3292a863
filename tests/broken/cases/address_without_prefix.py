# expect: matrix: vm_nics (from host data, FILE:here): [0].address: '192.0.2.21' has no prefix length; write for instance "192.0.2.21/24" [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_nics": [{"bridge": "br0", "address": "192.0.2.21"}],  # <- here
        },
    )
]
