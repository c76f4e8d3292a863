# expect: matrix: keel_poll (from host data, FILE:here): registries limit who asks too often; write at least "1 hour" [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "k3s_role": "server",
            "keel_enabled": True,
            "keel_poll": "1 minute",  # <- here
        },
    )
]
