# expect: matrix: nas_mail_port (from host data, FILE:here): 0 is not a whole number from 1 to 65535 (port of the SMTP server, Mailrise: 8025) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "nas_mail_server": "mail.lan", "nas_mail_from": "nas@example.org",
            "nas_mail_port": 0,  # <- here
        },
    )
]
