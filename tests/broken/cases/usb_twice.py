# expect: matrix: vm_usb (from host data, FILE:here): 10c4:ea60 is written twice; write it once [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_usb": ["10c4:ea60", "10c4:ea60"],  # <- here
        },
    )
]
