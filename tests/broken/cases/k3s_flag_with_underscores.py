# expect: matrix: k3s_config (from host data, FILE:here): 'cluster_cidr' is no flag of k3s; write 'cluster-cidr', as k3s server --help does without its dashes [ZT103]
from tests.broken.right import RIGHT

vms = [("@vm/matrix", {**RIGHT, "k3s_role": "server", "k3s_config": {"cluster_cidr": "10.1.0.0/16"}})]  # <- here
