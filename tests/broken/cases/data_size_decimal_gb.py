# expect: matrix: data_size (from host data, FILE:here): a volume is a whole number of MiB; write for instance "200 GiB" [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_size": "500 kB",  # <- here
        },
    )
]
