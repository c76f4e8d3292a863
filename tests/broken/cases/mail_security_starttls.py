# expect: matrix: nas_mail_security (from host data, FILE:here): 'starttls' is not known; write 'plain' or 'tls' or 'ssl' [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "nas_mail_security": "starttls",  # <- here
        },
    )
]
