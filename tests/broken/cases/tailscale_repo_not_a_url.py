# expect: matrix: tailscale_repo (from host data, FILE:here): 'tailscale' is no repository of charts; write https://… or oci://…, without a login [ZT103]
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
            "tailscale_repo": "tailscale",  # <- here
        },
    )
]
