# expect: matrix: vm_nics (from host data, FILE:here): [0].dns: '192.0.2.1' is not a list; write ['192.0.2.1'] (name servers of a static address) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_nics": [{"bridge": "br0", "address": "192.0.2.21/24", "dns": "192.0.2.1"}],  # <- here
        },
    )
]
