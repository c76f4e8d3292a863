# expect: matrix: keel_enabled (from host data, FILE:here): 'maybe' is neither True nor False; write one of them without quotes (install Keel) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "k3s_role": "server",
            "keel_enabled": "maybe",  # <- here
        },
    )
]
