# expect: matrix: k3s_sha256 (from host data, FILE:here): 'abc' is not a SHA-256; write its 64 hex digits [ZT103]
from tests.broken.right import RIGHT

vms = [("@vm/matrix", {**RIGHT, "k3s_role": "server", "k3s_sha256": "abc"})]  # <- here
