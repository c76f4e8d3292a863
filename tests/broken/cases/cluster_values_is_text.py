# expect: matrix: cluster_values (from host data, FILE:here): not a mapping; write {…} (what the templates of cluster/ are filled with, no secrets) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "k3s_role": "server",
            "cluster_values": "domain: lan",  # <- here
        },
    )
]
