# expect: matrix: nas_user (from host data, FILE:here): None is not text; write it in quotes (user the API key belongs to)
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "nas_user": None,  # <- here
        },
    )
]
