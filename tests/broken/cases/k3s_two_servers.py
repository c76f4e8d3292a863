# expect: two: k3s_role (from host data, FILE:here): home has 2 servers; write 1 or 3: half of an even number is no majority [ZT180]
# expect: one: k3s_cluster (from host data, FILE:one): two, of the same cluster, is declared wrong; nothing of home is touched until that is mended [ZT180]
from tests.broken.right import RIGHT

k3s = {**RIGHT, "k3s_token": "env:TOKEN", "k3s_cluster": "home"}  # <- one
vms = [
    ("@vm/one", {**k3s, "vm_nics": [{"bridge": "br0", "address": "192.0.2.21/24"}], "k3s_role": "server"}),
    ("@vm/two", {**k3s, "vm_nics": [{"bridge": "br0", "address": "192.0.2.22/24"}], "k3s_role": "server"}),  # <- here
]
