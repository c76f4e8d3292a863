# expect: matrix: os_source (from host data, FILE:here): 'ghcr.io/me/os@sha256:0000000000000000000000000000000000000000000000000000000000000000' has a digest, so no update would ever come; write its tag, for instance ghcr.io/me/os:stable [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_source": "ghcr.io/me/os@sha256:0000000000000000000000000000000000000000000000000000000000000000",  # <- here
        },
    )
]
