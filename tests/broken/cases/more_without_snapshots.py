# expect: matrix: data_more (from host data, FILE:here): data_snapshot_dataset tank/lab/matrix/data does not hold the volume tank/lab/matrix/media; write tank/lab/matrix [ZT104]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_snapshot_dataset": "tank/lab/matrix/data",
            "data_more": {"media": {"size": "2 TiB"}},  # <- here
        },
    )
]
