# expect: two: vm_usb (from host data, FILE:here): USB device 10c4:ea60 is already one's; every host needs its own [ZT105]
from tests.broken.right import RIGHT

vms = [
    ("@vm/one", {**RIGHT, "vm_usb": ["10c4:ea60"]}),
    ("@vm/two", {**RIGHT, "vm_usb": ["10c4:ea60"]}),  # <- here
]
