# expect: matrix: k3s_airgap_images (from host data, FILE:here): 'https://mirror.lan/images.zip' is no tarball; write for instance https://mirror.lan/k3s-airgap-images-amd64.tar.zst [ZT103]
from tests.broken.right import RIGHT

vms = [("@vm/matrix", {**RIGHT, "k3s_role": "server", "k3s_airgap_images": "https://mirror.lan/images.zip"})]  # <- here
