# expect: matrix: tailnet_exit_node (from host data, FILE:here): a host that is an exit node uses none; leave one of them out (tailnet_advertise_exit_node) [ZT104]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "tailnet_enabled": True,
            "tailnet_advertise_exit_node": True,
            "tailnet_exit_node": "nas",  # <- here
        },
    )
]
