# expect: matrix: iscsi_chap_peer_secret (from host data, FILE:here): TrueNAS takes a CHAP secret of 12 to 16 characters without '#' [ZT103]
from tests.broken.right import RIGHT
from zerotoil.model.secret import Secret

CHAP = {"iscsi_chap_peer_user": "nas", "iscsi_chap_peer_secret": Secret("twelve#chars")}  # <- here
vms = [("@vm/matrix", {**RIGHT, **CHAP})]
