# expect: matrix: k3s_version (from host data, FILE:here): 'v1.36.3' is not a release of k3s; write for instance v1.36.3+k3s1 [ZT103]
from tests.broken.right import RIGHT

vms = [("@vm/matrix", {**RIGHT, "k3s_role": "server", "k3s_version": "v1.36.3"})]  # <- here
