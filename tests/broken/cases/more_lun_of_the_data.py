# expect: matrix: data_more (from host data, FILE:here): media.lun: 0 is already that of the data volume; every volume needs its own [ZT104]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_more": {"media": {"size": "2 TiB", "lun": 0}},  # <- here
        },
    )
]
