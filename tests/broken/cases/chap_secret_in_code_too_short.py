# expect: matrix: iscsi_chap_secret (from host data, FILE:here): TrueNAS takes a CHAP secret of 12 to 16 characters without '#' [ZT103]
from tests.broken.right import RIGHT
from zerotoil.model.secret import Secret

CHAP = {"iscsi_chap_user": "hv1", "iscsi_chap_secret": Secret("short")}  # <- here
vms = [("@vm/matrix", {**RIGHT, **CHAP})]
