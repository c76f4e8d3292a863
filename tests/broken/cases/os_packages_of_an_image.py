# expect: matrix: os_packages (from host data, FILE:here): an image of your own brings its packages (os_source); install them in its Containerfile [ZT104]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_source": "ghcr.io/me/os:stable",
            "os_packages": ["htop"],  # <- here
        },
    )
]
