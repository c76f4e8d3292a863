# expect: matrix: watchtower_enabled (from host data, FILE:here): 'False' is neither True nor False; write one of them without quotes (run Watchtower on this host) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "watchtower_enabled": "False",  # <- here
        },
    )
]
