# expect: matrix: watchtower_timezone (from host data, FILE:here): 'Europe/Londn' is not a time zone (Watchtower would silently take UTC); write for instance Europe/London [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "watchtower_timezone": "Europe/Londn",  # <- here
        },
    )
]
