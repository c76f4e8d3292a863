# expect: matrix: watchtower_cooldown (from host data, FILE:here): '1 month': a cooldown is in hours, days or weeks; write for instance "3 days" [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "watchtower_cooldown": "1 month",  # <- here
        },
    )
]
