# expect: two: iscsi_target (from host data, FILE:here): target vm is already one's; every host needs its own [ZT105]
from tests.broken.right import RIGHT

vms = [
    ("@vm/one", {**RIGHT, "iscsi_target": "vm"}),
    ("@vm/two", {**RIGHT, "iscsi_target": "vm"}),  # <- here
]
