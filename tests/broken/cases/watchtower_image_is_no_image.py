# expect: matrix: watchtower_image (from host data, FILE:here): 'nickfedor/Watchtower:1.21.0' is no image: its name is lower case only; write nickfedor/watchtower [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "watchtower_image": "nickfedor/Watchtower:1.21.0",  # <- here
        },
    )
]
