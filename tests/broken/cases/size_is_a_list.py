# expect: matrix: os_disk_size (from host data, FILE:here): ['20 GiB'] is not a size; write for instance "4 GiB" (units: KiB, MiB, GiB, TiB, kB, KB, MB, GB, TB) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_disk_size": ["20 GiB"],  # <- here
        },
    )
]
