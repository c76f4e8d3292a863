# expect: matrix: registry_mirrors (from host data, FILE:here): docker.io: 'mirror': Docker takes a name without a dot or a port for a user of Docker Hub; write mirror:5000 [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "registry_mirrors": {"docker.io": "mirror"},  # <- here
        },
    )
]
