# expect: matrix: nas_url (from host data, FILE:here): ['wss://nas.lan'] is a list; write one text in quotes (API address, TLS only: "wss://nas.lan", a key sent in plain text is revoked) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "nas_url": ["wss://nas.lan"],  # <- here
        },
    )
]
