# expect: matrix: data_snapshot_tiers (from host data, FILE:here): weekly.keep: missing; how long each is kept: "3 months" [ZT102]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_snapshot_tiers": {"weekly": {"schedule": "0 3 * * 0"}},  # <- here
        },
    )
]
