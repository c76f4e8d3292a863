# expect: matrix: vm_nics (from host data, FILE:here): [0].mac: '52-54-00-12-34-56' is not a unicast MAC address; write for instance 52:54:00:12:34:56 [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_nics": [{"bridge": "br0", "mac": "52-54-00-12-34-56"}],  # <- here
        },
    )
]
