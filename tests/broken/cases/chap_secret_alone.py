# expect: matrix: iscsi_chap_secret (from host data, FILE:here): iscsi_chap_user and iscsi_chap_secret go together; write iscsi_chap_user too [ZT104]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "iscsi_chap_secret": "env:CHAP",  # <- here
        },
    )
]
