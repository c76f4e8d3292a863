# expect: matrix: vm_nics (from host data, FILE:here): [0].address: '192.0.2.0/24' is no address of a machine: first and last of 192.0.2.0/24 are the network's own [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_nics": [{"bridge": "br0", "address": "192.0.2.0/24"}],  # <- here
        },
    )
]
