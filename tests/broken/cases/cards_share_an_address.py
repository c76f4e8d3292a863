# expect: matrix: vm_nics (from host data, FILE:here): [1]: address 192.0.2.21 is card [0]'s too; every card needs its own [ZT104]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_nics": [{"bridge": "br0", "address": "192.0.2.21/24"}, {"bridge": "br1", "address": "192.0.2.21/24"}],  # <- here
        },
    )
]
