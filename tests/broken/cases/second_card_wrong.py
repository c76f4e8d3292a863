# expect: matrix: vm_nics (from host data, FILE:here): [1].gatway: unknown field; did you mean gateway? [ZT101]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_nics": [{"bridge": "br0"}, {"bridge": "br1", "gatway": "192.0.2.1"}],  # <- here
        },
    )
]
