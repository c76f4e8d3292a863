# expect: matrix: upgrades_version (from host data, FILE:here): '1.36' is not a release of k3s; write for instance v1.36.3+k3s1 [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "k3s_role": "server",
            "upgrades_enabled": True,
            "upgrades_version": "1.36",  # <- here
        },
    )
]
