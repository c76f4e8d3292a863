# expect: matrix: container_backend (from host data, FILE:here): 'kubernetes' is not known; write 'docker' or 'podman' [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "container_backend": "kubernetes",  # <- here
        },
    )
]
