# expect: matrix: vm_pci (from host data, FILE:here): [0]: 1 is not text; write it in quotes (PCI devices handed to the guest: "0000:01:00.0") [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_pci": [1],  # <- here
        },
    )
]
