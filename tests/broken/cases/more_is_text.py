# expect: matrix: data_more (from host data, FILE:here): media: not a mapping; write its fields size [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_more": {"media": "2 TiB"},  # <- here
        },
    )
]
