# expect: matrix: tailscale_tag (from host data, FILE:here): 'k8s' is no tag; write for instance tag:k8s [ZT103]
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
            "tailscale_tag": "k8s",  # <- here
        },
    )
]
