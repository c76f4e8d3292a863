# expect: matrix: vm_usb (from host data, FILE:here): '10c4:ea60' is not a list; write ['10c4:ea60'] (USB devices handed to the guest, "vendor:product": "10c4:ea60") [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_usb": "10c4:ea60",  # <- here
        },
    )
]
