# expect: two: vm_pci (from host data, FILE:here): PCI device 0000:01:00.0 is already one's; every host needs its own [ZT105]
from tests.broken.right import RIGHT

vms = [
    ("@vm/one", {**RIGHT, "vm_pci": ["0000:01:00.0"]}),
    ("@vm/two", {**RIGHT, "vm_pci": ["0000:01:00.0"]}),  # <- here
]
