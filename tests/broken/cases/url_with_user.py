# expect: matrix: nas_url (from host data, FILE:here): an address without a user; write for instance wss://nas.lan, and nas_user and nas_api_key [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "nas_url": "https://root:hunter2@nas.lan",  # <- here
        },
    )
]
