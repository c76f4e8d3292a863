# expect: matrix: nas_mail_password (from host data, FILE:here): a secret is not written in the inventory; write "file:PATH", "env:NAME" or Secret(…) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "nas_mail_server": "mail.lan", "nas_mail_from": "nas@example.org",
            "nas_mail_user": "nas",
            "nas_mail_password": "hunter2",  # <- here
        },
    )
]
