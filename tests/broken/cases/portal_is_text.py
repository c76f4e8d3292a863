# expect: matrix: iscsi_portal (from host data, FILE:here): '192.0.2.10' is not a list; write ['192.0.2.10'] (addresses the NAS listens on; the portal is found by them) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "iscsi_portal": "192.0.2.10",  # <- here
        },
    )
]
