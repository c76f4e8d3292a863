# expect: matrix: registry_mirrors (from host data, FILE:here): 'index.docker.io' is docker.io, which stands there already; keep one of them [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "registry_mirrors": {"docker.io": "a.lan", "index.docker.io": "b.lan"},  # <- here
        },
    )
]
