# expect: matrix: vm_nics (from host data, FILE:here): [0].reserve: reserve needs a libvirt network and an address; on a bridge, reserve it in your router [ZT104]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_nics": [{"bridge": "br0", "address": "192.0.2.21/24", "reserve": True}],  # <- here
        },
    )
]
