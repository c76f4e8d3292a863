# expect: matrix: vm_memory (from host data, FILE:here): written twice, first in line:first; the last would win, so remove one [ZT112]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_memory": "4 GiB",  # <- first
            "vm_cpus": 2,
            "vm_memory": "8 GiB",  # <- here
        },
    )
]
