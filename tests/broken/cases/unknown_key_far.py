# expect: matrix: color (from host data, FILE:here): unknown key; docs/reference/keys.md lists all [ZT101]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "color": "blue",  # <- here
        },
    )
]
