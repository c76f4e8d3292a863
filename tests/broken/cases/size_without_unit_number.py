# expect: matrix: vm_memory (from host data, FILE:here): 4096 has no unit; write for instance "4096 MiB" [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_memory": 4096,  # <- here
        },
    )
]
