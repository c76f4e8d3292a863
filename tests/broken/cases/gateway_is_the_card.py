# expect: matrix: vm_nics (from host data, FILE:here): [0].gateway: 192.0.2.21 is the card's own address; write the router's [ZT104]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_nics": [{"bridge": "br0", "address": "192.0.2.21/24", "gateway": "192.0.2.21"}],  # <- here
        },
    )
]
