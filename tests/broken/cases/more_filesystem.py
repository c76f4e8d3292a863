# expect: matrix: data_more (from host data, FILE:here): media.filesystem: 'btrfs' is not known; write 'ext4' or 'xfs' [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_more": {"media": {"size": "2 TiB", "filesystem": "btrfs"}},  # <- here
        },
    )
]
