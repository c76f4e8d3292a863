# expect: matrix: data_snapshot_tiers (from host data, FILE:here): weekly.schedul: unknown field; did you mean schedule? [ZT101]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_snapshot_tiers": {"weekly": {"schedul": "0 3 * * 0", "schedule": "0 3 * * 0", "keep": "3 months"}},  # <- here
        },
    )
]
