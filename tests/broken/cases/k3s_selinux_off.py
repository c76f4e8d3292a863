# expect: matrix: k3s_config (from host data, FILE:here): selinux is zerotoil's: it stays on: containers that are not confined see the whole host; leave it out [ZT103]
from tests.broken.right import RIGHT

vms = [("@vm/matrix", {**RIGHT, "k3s_role": "server", "k3s_config": {"selinux": False}})]  # <- here
