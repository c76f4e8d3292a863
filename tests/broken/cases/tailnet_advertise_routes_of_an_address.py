# expect: matrix: tailnet_advertise_routes (from host data, FILE:here): '192.0.2.7/24' is an address and no network; write 192.0.2.0/24 [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "tailnet_enabled": True,
            "tailnet_advertise_routes": ["192.0.2.7/24"],  # <- here
        },
    )
]
