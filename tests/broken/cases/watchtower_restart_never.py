# expect: matrix: watchtower_restart (from host data, FILE:here): 'never' is not known; write 'always' or 'unless-stopped' [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "watchtower_restart": "never",  # <- here
        },
    )
]
