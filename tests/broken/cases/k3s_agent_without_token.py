# expect: two: k3s_token: home has 2 nodes, which join by it; write it [ZT180]
# expect: one: k3s_cluster (from host data, FILE:one): two, of the same cluster, is declared wrong; nothing of home is touched until that is mended [ZT180]
from tests.broken.right import RIGHT

k3s = {**RIGHT, "k3s_cluster": "home"}  # <- one
vms = [
    ("@vm/one", {**k3s, "vm_nics": [{"bridge": "br0", "address": "192.0.2.21/24"}], "k3s_role": "server", "k3s_token": "env:T"}),
    ("@vm/two", {**k3s, "k3s_role": "agent"}),
]
