# expect: matrix: upgrades_timezone (from host data, FILE:here): 'Europe/Atlantis' is no time zone; write for instance Europe/Berlin [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "k3s_role": "server",
            "upgrades_enabled": True,
            "upgrades_channel": "v1.36",
            "upgrades_timezone": "Europe/Atlantis",  # <- here
        },
    )
]
