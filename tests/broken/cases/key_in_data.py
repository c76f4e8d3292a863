# expect: matrix: vm_cpus (from --data): 0 is not a whole number from 1 to 512 (virtual CPUs) [ZT103]
# data: vm_cpus=0
from tests.broken.right import RIGHT

vms = [("@vm/matrix", RIGHT)]
