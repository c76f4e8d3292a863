# expect: matrix: nas_alert_level (from host data, FILE:here): 'loud' is not known; write 'info' or 'notice' or 'warning' or 'error' or 'critical' or 'alert' or 'emergency' [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "nas_alert_mail": "me@example.org",
            "nas_alert_level": "loud",  # <- here
        },
    )
]
