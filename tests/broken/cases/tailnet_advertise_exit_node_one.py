# expect: matrix: tailnet_advertise_exit_node (from host data, FILE:here): 1 is neither True nor False; write one of them without quotes (offer to be an exit node) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "tailnet_enabled": True,
            "tailnet_advertise_exit_node": 1,  # <- here
        },
    )
]
