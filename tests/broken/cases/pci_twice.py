# expect: matrix: vm_pci (from host data, FILE:here): 0000:01:00.0 is written twice; write it once [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_pci": ["0000:01:00.0", "0000:01:00.0"],  # <- here
        },
    )
]
