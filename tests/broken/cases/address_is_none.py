# expect: matrix: vm_nics (from host data, FILE:here): [0].address: '192.0.2.300/24' is not an address with a prefix; write for instance 192.168.1.20/24 [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_nics": [{"bridge": "br0", "address": "192.0.2.300/24"}],  # <- here
        },
    )
]
