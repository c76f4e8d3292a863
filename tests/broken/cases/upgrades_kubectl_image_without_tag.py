# expect: matrix: upgrades_kubectl_image (from host data, FILE:here): 'rancher/kubectl' has no tag: what it is would change by itself; write for instance rancher/kubectl:v1.30.3 [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "k3s_role": "server",
            "upgrades_enabled": True,
            "upgrades_channel": "v1.36",
            "upgrades_kubectl_image": "rancher/kubectl",  # <- here
        },
    )
]
