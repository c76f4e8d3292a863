# expect: matrix: vm_memory (from host data, FILE:here): memory is a whole number of MiB, at least 512 MiB; write for instance "4 GiB" [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_memory": "2000.5 MiB",  # <- here
        },
    )
]
