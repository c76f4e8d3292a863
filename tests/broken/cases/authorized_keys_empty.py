# expect: matrix: ssh_authorized_keys (from host data, FILE:here): an empty list; write at least one (public keys that may log in, text or file:PATH) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "ssh_authorized_keys": [],  # <- here
        },
    )
]
