# expect: matrix: tailnet_advertise_routes (from host data, FILE:here): 0.0.0.0/0 is everything; write tailnet_advertise_exit_node [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "tailnet_enabled": True,
            "tailnet_advertise_routes": ["0.0.0.0/0"],  # <- here
        },
    )
]
