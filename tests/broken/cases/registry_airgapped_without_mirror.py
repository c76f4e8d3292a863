# expect: matrix: watchtower_image: nickfedor/watchtower:1.21.0 comes from docker.io, and registry_airgapped allows mirrors only; declare registry_mirrors {"docker.io": "mirror.lan:5000"} [ZT104]
from tests.broken.right import RIGHT

vms = [("@vm/matrix", {**RIGHT, "registry_airgapped": True})]
