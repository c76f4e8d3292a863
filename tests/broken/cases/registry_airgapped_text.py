# expect: matrix: registry_airgapped (from host data, FILE:here): 'yes' is neither True nor False; write one of them without quotes (refuse every image that is not on a mirror, or on a registry that is one) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "registry_airgapped": "yes",  # <- here
        },
    )
]
