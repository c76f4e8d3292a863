# expect: matrix: k3s_url (from host data, FILE:here): a login in it is shown to everybody; write for instance https://mirror.lan/k3s [ZT103]
from tests.broken.right import RIGHT

vms = [("@vm/matrix", {**RIGHT, "k3s_role": "server", "k3s_url": "https://me:pw@mirror.lan/k3s"})]  # <- here
