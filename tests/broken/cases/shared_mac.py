# expect: two: vm_nics (from host data, FILE:here): MAC 52:54:00:00:00:01 is already one's; every host needs its own [ZT105]
from tests.broken.right import RIGHT

vms = [
    ("@vm/one", {**RIGHT, "vm_nics": [{"bridge": "br0", "mac": "52:54:00:00:00:01"}]}),
    ("@vm/two", {**RIGHT, "vm_nics": [{"bridge": "br0", "mac": "52:54:00:00:00:01"}]}),  # <- here
]
