# expect: matrix: upgrades_controller_image (from host data, FILE:here): rancher/system-upgrade-controller:latest has a tag, which is the release here; leave it out [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "k3s_role": "server",
            "upgrades_enabled": True,
            "upgrades_channel": "v1.36",
            "upgrades_controller_image": "rancher/system-upgrade-controller:latest",  # <- here
        },
    )
]
