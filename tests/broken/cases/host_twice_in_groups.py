# expect: matrix: host (from FILE:here): declared twice, first in line:first; the data of both would be mixed, so give each its own name [ZT112]
from tests.broken.right import RIGHT

docker = [("@vm/matrix", {**RIGHT})]  # <- first
k3s = [("@vm/matrix", {"vm_memory": "8 GiB"})]  # <- here
