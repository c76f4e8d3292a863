# expect: matrix: vm_nics (from host data, FILE:here): [0].reserve: 'yes' is neither True nor False; write one of them without quotes (the libvirt network's DHCP hands out `address` instead, no change in the guest) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_nics": [{"network": "default", "address": "192.0.2.21/24", "reserve": "yes"}],  # <- here
        },
    )
]
