# expect: matrix: tailnet_hostname (from host data, FILE:here): 'matrix.home' is no name on a tailnet; use a-z, 0-9 and '-' inside, at most 63, for instance docker1 [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "tailnet_enabled": True,
            "tailnet_hostname": "matrix.home",  # <- here
        },
    )
]
