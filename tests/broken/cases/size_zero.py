# expect: matrix: data_size (from host data, FILE:here): '0 GiB' is not a whole, positive number of bytes; write for instance "4 GiB" [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_size": "0 GiB",  # <- here
        },
    )
]
