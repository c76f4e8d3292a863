# expect: matrix: vm_nics (from host data, FILE:here): [0].dns: dns belongs to a static address; write an address, without reserve [ZT104]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_nics": [{"network": "default", "dns": ["192.0.2.1"]}],  # <- here
        },
    )
]
