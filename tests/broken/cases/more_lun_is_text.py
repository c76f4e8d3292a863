# expect: matrix: data_more (from host data, FILE:here): media.lun: '1' is not a whole number from 0 to 16382 (LUN; default: the one after that of the volume before, so append new ones at the end) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_more": {"media": {"size": "2 TiB", "lun": "1"}},  # <- here
        },
    )
]
