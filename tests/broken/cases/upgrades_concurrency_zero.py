# expect: matrix: upgrades_concurrency (from host data, FILE:here): 0 is not a whole number of at least 1 (how many nodes of a kind at once; servers always go one by one) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "k3s_role": "server",
            "upgrades_enabled": True,
            "upgrades_channel": "v1.36",
            "upgrades_concurrency": 0,  # <- here
        },
    )
]
