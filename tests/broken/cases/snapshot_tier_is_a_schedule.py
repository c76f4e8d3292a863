# expect: matrix: data_snapshot_tiers (from host data, FILE:here): weekly: not a mapping; write its fields schedule and keep [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_snapshot_tiers": {"weekly": "0 3 * * 0"},  # <- here
        },
    )
]
