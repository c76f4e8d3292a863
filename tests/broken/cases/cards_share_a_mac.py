# expect: matrix: vm_nics (from host data, FILE:here): [1]: MAC 52:54:00:00:00:01 is card [0]'s too; every card needs its own [ZT104]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_nics": [{"bridge": "br0", "mac": "52:54:00:00:00:01"}, {"bridge": "br1", "mac": "52:54:00:00:00:01"}],  # <- here
        },
    )
]
