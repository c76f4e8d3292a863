# expect: matrix: watchtower_rolling_restart (from host data, FILE:here): 'one at a time' is neither True nor False; write one of them without quotes (restart one at a time; not with depends_on) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "watchtower_rolling_restart": "one at a time",  # <- here
        },
    )
]
