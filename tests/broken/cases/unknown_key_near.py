# expect: matrix: vm_memry (from host data, FILE:here): unknown key; did you mean vm_memory? [ZT101]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_memry": "4 GiB",  # <- here
        },
    )
]
