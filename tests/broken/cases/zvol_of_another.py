# expect: two: nas_dataset (from host data, FILE:here): tank/lab/one/data is inside the dataset of one; write tank/lab [ZT106]
from tests.broken.right import RIGHT

vms = [
    ("@vm/one", {**RIGHT, "vm_cpus": 2}),
    ("@vm/two", {**RIGHT, "nas_dataset": "tank/lab/one/data"}),  # <- here
]
