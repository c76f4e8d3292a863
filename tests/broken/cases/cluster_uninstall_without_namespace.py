# expect: matrix: cluster_uninstall (from host data, FILE:here): 'keel' is no HelmChart; write NAMESPACE/NAME, for instance kube-system/keel [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "k3s_role": "server",
            "cluster_uninstall": ["keel"],  # <- here
        },
    )
]
