# expect: matrix: os_source (from host data, FILE:here): 'ghcr.io/me/os' has no tag; write the one to follow, for instance ghcr.io/me/os:stable [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_source": "ghcr.io/me/os",  # <- here
        },
    )
]
