# expect: matrix: nas_mail_user (from host data, FILE:here): nas_mail_user and nas_mail_password go together; write nas_mail_password too [ZT104]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "nas_mail_server": "mail.lan", "nas_mail_from": "nas@example.org",
            "nas_mail_user": "nas",  # <- here
        },
    )
]
