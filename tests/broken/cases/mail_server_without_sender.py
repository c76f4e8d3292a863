# expect: matrix: nas_mail_server (from host data, FILE:here): nas_mail_server needs nas_mail_from too, since TrueNAS mails from no empty address [ZT104]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "nas_mail_server": "mail.lan",  # <- here
        },
    )
]
