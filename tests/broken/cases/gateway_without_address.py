# expect: matrix: vm_nics (from host data, FILE:here): [0].gateway: gateway belongs to a static address; write an address, without reserve [ZT104]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_nics": [{"bridge": "br0", "gateway": "192.0.2.1"}],  # <- here
        },
    )
]
