# expect: matrix: tailnet_tags (from host data, FILE:here): 'lab' is no tag; write for instance tag:lab [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "tailnet_enabled": True,
            "tailnet_tags": ["lab"],  # <- here
        },
    )
]
