# expect: matrix: vm_cpu (from --data): unknown key; did you mean vm_cpus? [ZT101]
# data: vm_cpu=2
from tests.broken.right import RIGHT

vms = [("@vm/matrix", RIGHT)]
