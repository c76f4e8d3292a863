# expect: two: hypervisor_pool (from host data, FILE:here): one-data is the iSCSI pool of one; write the pool of the OS images [ZT106]
from tests.broken.right import RIGHT

vms = [
    ("@vm/one", {**RIGHT, "vm_cpus": 2}),
    ("@vm/two", {**RIGHT, "hypervisor_pool": "one-data"}),  # <- here
]
