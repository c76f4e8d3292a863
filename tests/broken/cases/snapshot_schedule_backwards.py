# expect: matrix: data_snapshot_schedule (from host data, FILE:here): hour '6-2' runs backwards; write 2-6 [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_snapshot_schedule": "0 6-2 * * *",  # <- here
        },
    )
]
