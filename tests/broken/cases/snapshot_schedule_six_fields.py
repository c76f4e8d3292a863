# expect: matrix: data_snapshot_schedule (from host data, FILE:here): '0 0 2 * * *' is not a schedule of five fields; write for instance "0 2 * * *" (every night at 02:00) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_snapshot_schedule": "0 0 2 * * *",  # <- here
        },
    )
]
