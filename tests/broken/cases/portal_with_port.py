# expect: matrix: iscsi_portal (from host data, FILE:here): '192.0.2.10:3260' is not an address the NAS listens on; write for instance 192.168.1.10 [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "iscsi_portal": ["192.0.2.10:3260"],  # <- here
        },
    )
]
