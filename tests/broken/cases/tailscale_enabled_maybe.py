# expect: matrix: tailscale_enabled (from host data, FILE:here): 'maybe' is neither True nor False; write one of them without quotes (install the operator in the cluster; of a host: `tailnet_enabled`) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "k3s_role": "server",
            "tailscale_enabled": "maybe",  # <- here
        },
    )
]
