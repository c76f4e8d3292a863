# expect: matrix: data_snapshot_tiers (from host data, FILE:here): weekly.naming: 'auto-%Y-%m-%d_%H-%M' makes names that 'auto-%Y-%m-%d_%H-%M' of nightly makes too, and each would remove the other's snapshots; write another, for instance auto-weekly-%Y-%m-%d_%H-%M [ZT104]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_snapshot_tiers": {"weekly": {"schedule": "0 3 * * 0", "keep": "3 months", "naming": "auto-%Y-%m-%d_%H-%M"}},  # <- here
        },
    )
]
