# expect: matrix: vm_memory (from host data, FILE:here): 4 has no unit; write for instance "4 GiB" [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_memory": 4,  # <- here
        },
    )
]
