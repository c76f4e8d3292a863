# expect: two: iscsi_target (from host data, FILE:here): target one is already one's; every host needs its own [ZT105]
from tests.broken.right import RIGHT

vms = [
    ("@vm/one", {**RIGHT, "vm_cpus": 2}),
    ("@vm/two", {**RIGHT, "iscsi_target": "one"}),  # <- here
]
