# expect: one: k3s_role (from host data, FILE:here): the cluster home has agents and no server; give one of its hosts k3s_role server [ZT180]
from tests.broken.right import RIGHT

vms = [("@vm/one", {**RIGHT, "k3s_cluster": "home", "k3s_role": "agent"})]  # <- here
