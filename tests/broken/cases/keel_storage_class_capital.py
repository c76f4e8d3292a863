# expect: matrix: keel_storage_class (from host data, FILE:here): 'Local' is no name of an object; use a-z, 0-9, '-' and '.' [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "k3s_role": "server",
            "keel_enabled": True,
            "keel_storage_class": "Local",  # <- here
        },
    )
]
