# expect: matrix: tailscale_version (from host data, FILE:here): 1.9 is not text; write it in quotes (version of the chart) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "k3s_role": "server",
            "tailscale_enabled": True,
            "tailscale_client_id": "file:~/.config/zerotoil/oauth",
            "tailscale_client_secret": "file:~/.config/zerotoil/oauth",
            "tailscale_version": 1.9,  # <- here
        },
    )
]
