# expect: matrix: upgrades_exclude (from host data, FILE:here): 'k3s2' is not a list; write ['k3s2'] (nodes that are left out) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "k3s_role": "server",
            "upgrades_enabled": True,
            "upgrades_channel": "v1.36",
            "upgrades_exclude": "k3s2",  # <- here
        },
    )
]
