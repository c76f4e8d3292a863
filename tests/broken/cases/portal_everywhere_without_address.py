# expect: matrix: iscsi_portal (from host data, FILE:here): iscsi_address is needed, since the portal 0.0.0.0 is no address to connect to [ZT104]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "iscsi_portal": ["0.0.0.0"],  # <- here
        },
    )
]
