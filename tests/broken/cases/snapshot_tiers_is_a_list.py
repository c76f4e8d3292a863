# expect: matrix: data_snapshot_tiers (from host data, FILE:here): not a mapping; write {…} (more snapshots beside these, tier "nightly": {"weekly": {"schedule": "0 3 * * 0", "keep": "3 months"}}) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_snapshot_tiers": ["weekly"],  # <- here
        },
    )
]
