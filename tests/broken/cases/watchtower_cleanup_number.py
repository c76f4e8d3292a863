# expect: matrix: watchtower_cleanup (from host data, FILE:here): 1 is neither True nor False; write one of them without quotes (remove the old image after an update) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "watchtower_cleanup": 1,  # <- here
        },
    )
]
