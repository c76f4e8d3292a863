# expect: matrix: upgrades_channel (from host data, FILE:here): upgrades_version wins over upgrades_channel, which would mean nothing; write one of them [ZT104]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "k3s_role": "server",
            "upgrades_enabled": True,
            "upgrades_channel": "v1.36", "upgrades_version": "v1.36.3+k3s1",  # <- here
        },
    )
]
