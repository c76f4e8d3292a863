# expect: matrix: watchtower_enabled (from host data, FILE:here): podman runs the containers and updates them itself (container_backend); leave it False [ZT104]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "container_backend": "podman",
            "watchtower_enabled": True,  # <- here
        },
    )
]
