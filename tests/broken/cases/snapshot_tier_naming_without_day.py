# expect: matrix: data_snapshot_tiers (from host data, FILE:here): weekly.naming: 'week-%Y-%m' holds not all of %Y %m %d %H %M (or %s), or snapshots of one day would collide; write for instance auto-weekly-%Y-%m-%d_%H-%M [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_snapshot_tiers": {"weekly": {"schedule": "0 3 * * 0", "keep": "3 months", "naming": "week-%Y-%m"}},  # <- here
        },
    )
]
