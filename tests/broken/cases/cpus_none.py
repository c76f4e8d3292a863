# expect: matrix: vm_cpus (from host data, FILE:here): None is not a whole number from 1 to 512 (virtual CPUs) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_cpus": None,  # <- here
        },
    )
]
