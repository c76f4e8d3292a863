# expect: matrix: tailnet_exit_node (from host data, FILE:here): 'auto:any' is neither a name nor an address; write for instance nas or 100.64.0.7 [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "tailnet_enabled": True,
            "tailnet_exit_node": "auto:any",  # <- here
        },
    )
]
