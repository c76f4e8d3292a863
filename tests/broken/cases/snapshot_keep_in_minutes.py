# expect: matrix: data_snapshot_keep (from host data, FILE:here): '90 minutes' is not a duration; write for instance "14 days" (units: hours, days, weeks, months, years) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_snapshot_keep": "90 minutes",  # <- here
        },
    )
]
