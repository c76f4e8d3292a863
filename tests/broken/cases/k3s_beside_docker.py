# expect: matrix: docker_enabled (from host data, FILE:here): k3s runs the containers of this host (k3s_role), and Docker's firewall cuts pods off; leave it False [ZT104]
from tests.broken.right import RIGHT

vms = [("@vm/matrix", {**RIGHT, "k3s_role": "server", "docker_enabled": True})]  # <- here
