# expect: matrix: data_blocksize (from host data, FILE:here): a volblocksize is a power of two from "1 KiB" to "128 KiB"; write for instance "16 KiB" [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_blocksize": "1 MiB",  # <- here
        },
    )
]
