# expect: matrix: watchtower_notify_url (from host data, FILE:here): a secret is not written in the inventory; write "file:PATH", "env:NAME" or Secret(…) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "watchtower_notify_url": "telegram://12345:token@telegram",  # <- here
        },
    )
]
