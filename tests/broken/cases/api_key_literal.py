# expect: matrix: nas_api_key (from host data, FILE:here): a secret is not written in the inventory; write "file:PATH", "env:NAME" or Secret(…) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "nas_api_key": "1-abcdefghijklmnop",  # <- here
        },
    )
]
