# expect: matrix: upgrades_end (from host data, FILE:here): the window ends at 03:00, when it begins, so it never opens; write a later time [ZT104]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "k3s_role": "server",
            "upgrades_enabled": True,
            "upgrades_channel": "v1.36",
            "upgrades_end": "03:00",  # <- here
        },
    )
]
