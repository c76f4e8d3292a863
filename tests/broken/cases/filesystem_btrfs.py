# expect: matrix: data_filesystem (from host data, FILE:here): 'btrfs' is not known; write 'ext4' or 'xfs' [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_filesystem": "btrfs",  # <- here
        },
    )
]
