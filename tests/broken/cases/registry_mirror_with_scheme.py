# expect: matrix: registry_mirrors (from host data, FILE:here): docker.io: 'https://mirror.lan:5000': write the registry without https://, for instance nas.lan:5000 [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "registry_mirrors": {"docker.io": "https://mirror.lan:5000"},  # <- here
        },
    )
]
