# expect: matrix: registry_logins (from host data, FILE:here): ghcr.io.password: a secret is not written in the inventory; write "file:PATH", "env:NAME" or Secret(…) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "registry_logins": {"ghcr.io": {"user": "me", "password": "ghp_secret"}},  # <- here
        },
    )
]
