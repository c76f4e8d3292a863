# expect: matrix: tailnet_accept_routes (from host data, FILE:here): 'yes' is neither True nor False; write one of them without quotes (use the routes that others of the tailnet offer) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "tailnet_enabled": True,
            "tailnet_accept_routes": "yes",  # <- here
        },
    )
]
