# expect: two: k3s_config (from host data, FILE:here): cluster-cidr: 10.2.0.0/16, and not set on one; all servers of a cluster need the same [ZT180]
# expect: one: k3s_cluster (from host data, FILE:all): two, of the same cluster, is declared wrong; nothing of home is touched until that is mended [ZT180]
# expect: three: k3s_cluster (from host data, FILE:all): two, of the same cluster, is declared wrong; nothing of home is touched until that is mended [ZT180]
from tests.broken.right import RIGHT

k3s = {**RIGHT, "k3s_role": "server", "k3s_token": "env:TOKEN", "k3s_cluster": "home"}  # <- all
vms = [
    ("@vm/one", {**k3s, "vm_nics": [{"bridge": "br0", "address": "192.0.2.21/24"}]}),
    ("@vm/two", {**k3s, "vm_nics": [{"bridge": "br0", "address": "192.0.2.22/24"}], "k3s_config": {"cluster-cidr": "10.2.0.0/16"}}),  # <- here
    ("@vm/three", {**k3s, "vm_nics": [{"bridge": "br0", "address": "192.0.2.23/24"}]}),
]
