# expect: matrix: data_more (from host data, FILE:here): a host with data_volume has one data volume; take data_more out [ZT104]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_volume": "tank/vms/matrix",
            "data_more": {"media": {"size": "2 TiB"}},  # <- here
        },
    )
]
