# expect: matrix: nas_fingerprint (from host data, FILE:here): 'AB:CD:EF' is not a SHA-256 fingerprint (64 hex digits, colons allowed), as printed by openssl x509 -fingerprint -sha256 [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "nas_fingerprint": "AB:CD:EF",  # <- here
        },
    )
]
