# expect: matrix: iscsi_chap_peer_user (from host data, FILE:here): iscsi_chap_peer_user and iscsi_chap_peer_secret go together; write iscsi_chap_peer_secret too [ZT104]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "iscsi_chap_peer_user": "nas",  # <- here
            "iscsi_chap_user": "hv1",
            "iscsi_chap_secret": "env:CHAP",
        },
    )
]
