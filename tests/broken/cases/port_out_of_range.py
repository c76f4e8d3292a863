# expect: matrix: iscsi_port (from host data, FILE:here): 65536 is not a whole number from 1 to 65535 (port of the portal, TrueNAS has one for all portals) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "iscsi_port": 65536,  # <- here
        },
    )
]
