# expect: matrix: vm_usb (from host data, FILE:here): 'zigbee' is not "vendor:product" in hex, as lsusb prints it: "10c4:ea60" [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_usb": ["zigbee"],  # <- here
        },
    )
]
