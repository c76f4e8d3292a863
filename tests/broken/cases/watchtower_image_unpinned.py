# expect: matrix: watchtower_image (from host data, FILE:here): 'registry.lan:5000/watchtower' is not pinned; name a tag such as nickfedor/watchtower:1.21.0 [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "watchtower_image": "registry.lan:5000/watchtower",  # <- here
        },
    )
]
