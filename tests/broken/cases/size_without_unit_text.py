# expect: matrix: data_size (from host data, FILE:here): 200 has no unit; write for instance "200 GiB" [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_size": "200",  # <- here
        },
    )
]
