# expect: matrix: k3s_role (from host data, FILE:here): 'master' is not known; write 'server' or 'agent' [ZT103]
from tests.broken.right import RIGHT

vms = [("@vm/matrix", {**RIGHT, "k3s_role": "master"})]  # <- here
