# expect: matrix: tailnet_auth_key (from host data, FILE:here): a secret is not written in the inventory; write "file:PATH", "env:NAME" or Secret(…) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "tailnet_enabled": True,
            "tailnet_auth_key": "tskey-auth-k1-s3",  # <- here
        },
    )
]
