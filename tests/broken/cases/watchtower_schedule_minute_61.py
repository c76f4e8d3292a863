# expect: matrix: watchtower_schedule (from host data, FILE:here): minute '61' is outside 0-59 [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "watchtower_schedule": "0 61 3 * * *",  # <- here
        },
    )
]
