# expect: matrix: iscsi_chap_secret (from host data, FILE:here): a secret is not written in the inventory; write "file:PATH", "env:NAME" or Secret(…) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "iscsi_chap_secret": "twelve-chars",  # <- here
            "iscsi_chap_user": "hv1",
        },
    )
]
