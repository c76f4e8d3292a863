# expect: matrix: data_snapshot_schedule (from host data, FILE:here): 'mon' is not a weekday of a schedule; write a number from 0 to 7, *, a-b, a,b or */n [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_snapshot_schedule": "0 2 * * mon",  # <- here
        },
    )
]
