# expect: matrix: data_size (from host data, FILE:here): '99999999999999999999 TiB' is more than any volume can have; write for instance "4 TiB" [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_size": "99999999999999999999 TiB",  # <- here
        },
    )
]
