# expect: matrix: vm_cpus (from group 'kube', FILE:here): 0 is not a whole number from 1 to 512 (virtual CPUs) [ZT103]
from tests.broken.right import RIGHT

kube = (["@vm/matrix"], {**RIGHT, "vm_cpus": 0})  # <- here
