# expect: matrix: registry_logins (from host data, FILE:here): ghcr.io.user: missing; user name [ZT102]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "registry_logins": {"ghcr.io": {"password": "env:GHCR"}},  # <- here
        },
    )
]
