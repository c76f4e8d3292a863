# expect: matrix: vm_pci (from host data, FILE:here): '01:00.0' is not a PCI address, as lspci -D prints it: "0000:01:00.0" [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_pci": ["01:00.0"],  # <- here
        },
    )
]
