# expect: matrix: os_source (from host data, FILE:here): 'os:stable' names no registry; write stream, or an image such as ghcr.io/me/os:stable [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_source": "os:stable",  # <- here
        },
    )
]
