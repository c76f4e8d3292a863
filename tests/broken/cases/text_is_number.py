# expect: matrix: nas_user (from host data, FILE:here): 1000 is not text; write it in quotes (user the API key belongs to) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "nas_user": 1000,  # <- here
        },
    )
]
