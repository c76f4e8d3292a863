# expect: matrix: cluster_secrets (from host data, FILE:here): db.keys.password: a secret is not written in the inventory; write "file:PATH", "env:NAME" or Secret(…) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "k3s_role": "server",
            "cluster_secrets": {"db": {"namespace": "web", "keys": {"password": "hunter2"}}},  # <- here
        },
    )
]
