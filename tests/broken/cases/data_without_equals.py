# expect: --data vm_cpus is not KEY=VALUE: write for instance --data vm_memory='4 GiB' [ZT114]
# data: vm_cpus
from tests.broken.right import RIGHT

vms = [("@vm/matrix", RIGHT)]
