# expect: matrix: tailnet_login_server (from host data, FILE:here): a login in it is shown to everybody; write for instance https://headscale.lan [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "tailnet_enabled": True,
            "tailnet_login_server": "https://me:secret@headscale.lan",  # <- here
        },
    )
]
