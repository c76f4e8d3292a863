# expect: two: data_serial (from host data, FILE:here): disk serial data is already one's; every host needs its own [ZT105]
from tests.broken.right import RIGHT

vms = [
    ("@vm/one", {**RIGHT, "data_serial": "data"}),
    ("@vm/two", {**RIGHT, "data_serial": "data"}),  # <- here
]
