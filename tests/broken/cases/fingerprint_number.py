# expect: matrix: nas_fingerprint (from host data, FILE:here): 1234 is not text; write it in quotes (SHA-256 of the NAS's certificate, pinned instead of a CA) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "nas_fingerprint": 1234,  # <- here
        },
    )
]
