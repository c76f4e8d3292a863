# expect: matrix: tailnet_accept_dns (from host data, FILE:here): 'no' is neither True nor False; write one of them without quotes (use the tailnet's DNS) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "tailnet_enabled": True,
            "tailnet_accept_dns": "no",  # <- here
        },
    )
]
