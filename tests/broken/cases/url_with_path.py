# expect: matrix: nas_url (from host data, FILE:here): 'wss://nas.lan/api/current' is not an address of a NAS; write for instance wss://nas.lan [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "nas_url": "wss://nas.lan/api/current",  # <- here
        },
    )
]
