# expect: matrix: data_snapshot_schedule (from host data, FILE:here): hour '24' is outside 0-23 [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_snapshot_schedule": "0 24 * * *",  # <- here
        },
    )
]
