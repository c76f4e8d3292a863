# expect: matrix: vm_nics (from host data, FILE:here): [0].mac: '01:00:5e:00:00:01' is not a unicast MAC address; write for instance 52:54:00:12:34:56 [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_nics": [{"bridge": "br0", "mac": "01:00:5e:00:00:01"}],  # <- here
        },
    )
]
