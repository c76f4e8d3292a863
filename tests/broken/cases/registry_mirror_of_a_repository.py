# expect: matrix: registry_mirrors (from host data, FILE:here): 'docker.io/library' is no registry; write HOST or HOST:PORT, for instance ghcr.io or nas.lan:5000 [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "registry_mirrors": {"docker.io/library": "mirror.lan:5000"},  # <- here
        },
    )
]
