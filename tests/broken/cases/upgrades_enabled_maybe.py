# expect: matrix: upgrades_enabled (from host data, FILE:here): 'maybe' is neither True nor False; write one of them without quotes (install the upgrade controller and give it its Plans) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "k3s_role": "server",
            "upgrades_enabled": "maybe",  # <- here
        },
    )
]
