# expect: matrix: tailnet_serve (from host data, FILE:here): 0 is no port; write for instance {"443": 8080} [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "tailnet_enabled": True,
            "tailnet_serve": {"443": 0},  # <- here
        },
    )
]
