# expect: matrix: watchtower_image (from host data, FILE:here): 'nickfedor/watchtower:latest' is not pinned; name a tag such as nickfedor/watchtower:1.21.0 [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "watchtower_image": "nickfedor/watchtower:latest",  # <- here
        },
    )
]
