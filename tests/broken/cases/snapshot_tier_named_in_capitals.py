# expect: matrix: data_snapshot_tiers (from host data, FILE:here): 'Every Week' is not a name of a tier; use a-z, 0-9 and '-' inside, at most 32, for instance weekly [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_snapshot_tiers": {"Every Week": {"schedule": "0 3 * * 0", "keep": "3 months"}},  # <- here
        },
    )
]
