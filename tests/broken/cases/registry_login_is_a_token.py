# expect: matrix: registry_logins (from host data, FILE:here): ghcr.io: not a mapping; write its fields user and password [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "registry_logins": {"ghcr.io": "ghp_secret"},  # <- here
        },
    )
]
