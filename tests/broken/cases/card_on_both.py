# expect: matrix: vm_nics (from host data, FILE:here): [0]: a card is on either a network or a bridge; write {"network": "default"} or {"bridge": "br0"} [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_nics": [{"network": "default", "bridge": "br0"}],  # <- here
        },
    )
]
