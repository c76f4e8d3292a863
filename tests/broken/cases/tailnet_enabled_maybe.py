# expect: matrix: tailnet_enabled (from host data, FILE:here): 'maybe' is neither True nor False; write one of them without quotes (join the host to a tailnet; False after True: leave it, its state stays. The operator: `tailscale_enabled`) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "tailnet_enabled": "maybe",  # <- here
        },
    )
]
