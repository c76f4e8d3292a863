# expect: matrix: nas_alert_mail (from host data, FILE:here): 'me' is not a mail address; write for instance nas@home.lan [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "nas_alert_mail": "me",  # <- here
        },
    )
]
