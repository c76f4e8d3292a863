# expect: matrix: data_snapshot_dataset (from host data, FILE:here): tank/other does not hold the volume tank/lab/matrix/data; write tank/lab/matrix/data, or a dataset above it [ZT104]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_snapshot_dataset": "tank/other",  # <- here
        },
    )
]
