# expect: two: vm_nics (from host data, FILE:here): address 192.0.2.21 is already one's; every host needs its own [ZT105]
from tests.broken.right import RIGHT

vms = [
    ("@vm/one", {**RIGHT, "vm_nics": [{"bridge": "br0", "address": "192.0.2.21/24"}]}),
    ("@vm/two", {**RIGHT, "vm_nics": [{"bridge": "br0", "address": "192.0.2.21/16"}]}),  # <- here
]
