# expect: matrix: os_disk_size (from host data, FILE:here): '0.3333 KiB' is not a whole, positive number of bytes; write for instance "4 GiB" [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_disk_size": "0.3333 KiB",  # <- here
        },
    )
]
