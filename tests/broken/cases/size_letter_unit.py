# expect: matrix: vm_memory (from host data, FILE:here): '4G' is not a size; write for instance "4 GiB" (units: KiB, MiB, GiB, TiB, kB, KB, MB, GB, TB) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_memory": "4G",  # <- here
        },
    )
]
