# expect: matrix: vm_cpus (from host data, FILE:here): 1.5 is not a whole number from 1 to 512 (virtual CPUs) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_cpus": 1.5,  # <- here
        },
    )
]
