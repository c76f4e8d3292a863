# expect: matrix: tailscale_client_id (from host data, FILE:here): a secret is not written in the inventory; write "file:PATH", "env:NAME" or Secret(…) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "k3s_role": "server",
            "tailscale_enabled": True,
            "tailscale_client_secret": "file:~/.config/zerotoil/oauth",
            "tailscale_client_id": "k123",  # <- here
        },
    )
]
