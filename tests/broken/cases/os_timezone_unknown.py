# expect: matrix: os_timezone (from host data, FILE:here): 'Berlin' is no time zone; write for instance Europe/Berlin [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_timezone": "Berlin",  # <- here
        },
    )
]
