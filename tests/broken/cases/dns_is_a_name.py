# expect: matrix: vm_nics (from host data, FILE:here): [0].dns: 'router.lan' is not an address; write for instance 192.168.1.1 (no prefix) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_nics": [{"bridge": "br0", "address": "192.0.2.21/24", "dns": ["router.lan"]}],  # <- here
        },
    )
]
