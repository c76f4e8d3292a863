# expect: matrix: upgrades_start (from host data, FILE:here): '24:30' is no time of day; write for instance 03:00 [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "k3s_role": "server",
            "upgrades_enabled": True,
            "upgrades_channel": "v1.36",
            "upgrades_start": "24:30",  # <- here
        },
    )
]
