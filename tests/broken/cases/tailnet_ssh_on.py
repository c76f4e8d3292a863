# expect: matrix: tailnet_ssh (from host data, FILE:here): 'on' is neither True nor False; write one of them without quotes (let Tailscale answer SSH on the tailnet; OpenSSH stays at the host's other addresses) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "tailnet_enabled": True,
            "tailnet_ssh": "on",  # <- here
        },
    )
]
