# expect: matrix: data_size (from host data, FILE:here): '-5 GiB' is not a size; write for instance "4 GiB" (units: KiB, MiB, GiB, TiB, kB, KB, MB, GB, TB) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_size": "-5 GiB",  # <- here
        },
    )
]
