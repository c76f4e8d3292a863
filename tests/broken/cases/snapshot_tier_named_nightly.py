# expect: matrix: data_snapshot_tiers (from host data, FILE:here): nightly is the tier of data_snapshot_schedule and data_snapshot_keep; give this one another name [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_snapshot_tiers": {"nightly": {"schedule": "0 3 * * 0", "keep": "3 months"}},  # <- here
        },
    )
]
