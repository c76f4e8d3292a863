# expect: matrix: watchtower_schedule (from host data, FILE:here): '30 4 * * *' is not a schedule of six fields (second first); five would be read as seconds. Write for instance "0 30 3 * * *" (03:30 every night) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "watchtower_schedule": "30 4 * * *",  # <- here
        },
    )
]
