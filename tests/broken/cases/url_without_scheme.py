# expect: matrix: nas_url (from host data, FILE:here): 'nas.lan' is not an address of a NAS; write for instance wss://nas.lan [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "nas_url": "nas.lan",  # <- here
        },
    )
]
