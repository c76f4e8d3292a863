# expect: matrix: nas_url (from host data, FILE:here): http://nas.lan is plain text: TrueNAS revokes a key sent that way; write wss://nas.lan [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "nas_url": "http://nas.lan",  # <- here
        },
    )
]
