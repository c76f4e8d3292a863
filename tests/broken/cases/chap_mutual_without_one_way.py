# expect: matrix: iscsi_chap_peer_user (from host data, FILE:here): mutual CHAP (iscsi_chap_peer_user) needs iscsi_chap_user too [ZT104]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "iscsi_chap_peer_user": "nas",  # <- here
            "iscsi_chap_peer_secret": "env:PEER",
        },
    )
]
