# expect: matrix: keel_repo (from host data, FILE:here): 'keel' is no repository of charts; write https://… or oci://…, without a login [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "k3s_role": "server",
            "keel_enabled": True,
            "keel_repo": "keel",  # <- here
        },
    )
]
