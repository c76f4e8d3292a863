# expect: matrix: data_snapshot_tiers (from host data, FILE:here): hourly.keep: '90 minutes' is not a duration; write for instance "14 days" (units: hours, days, weeks, months, years) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_snapshot_tiers": {"hourly": {"schedule": "0 * * * *", "keep": "90 minutes"}},  # <- here
        },
    )
]
