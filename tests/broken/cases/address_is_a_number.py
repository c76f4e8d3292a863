# expect: matrix: vm_nics (from host data, FILE:here): [0].address: 192 is not text; write it in quotes ("192.168.1.20/24": static, set inside the guest; absent: DHCP) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_nics": [{"bridge": "br0", "address": 192}],  # <- here
        },
    )
]
