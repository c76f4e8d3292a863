# expect: matrix: vm_firmware (from host data, FILE:here): 'efi' is not known; write 'bios' or 'uefi' [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_firmware": "efi",  # <- here
        },
    )
]
