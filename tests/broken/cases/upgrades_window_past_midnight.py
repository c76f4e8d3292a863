# expect: matrix: upgrades_end (from host data, FILE:here): it would end at 01:00, before it begins: the controller knows none past midnight; write at most 23:59 [ZT104]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "k3s_role": "server",
            "upgrades_enabled": True,
            "upgrades_channel": "v1.36",
            "upgrades_end": "01:00",  # <- here
        },
    )
]
