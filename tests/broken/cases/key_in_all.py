# expect: matrix: vm_memry (from group 'all', FILE:here): unknown key; did you mean vm_memory? [ZT101]
from tests.broken.right import RIGHT

kube = ["@vm/matrix"]
all = (kube, {**RIGHT, "vm_memry": "4 GiB"})  # <- here
