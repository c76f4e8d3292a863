# expect: matrix: nas_mail_from (from host data, FILE:here): 'nas' is not a mail address; write for instance nas@home.lan [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "nas_mail_server": "mail.lan",
            "nas_mail_from": "nas",  # <- here
        },
    )
]
