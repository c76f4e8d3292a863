# expect: matrix: ssh_user (from host data, FILE:here): 'John Doe' is not a user name; use a-z, 0-9, '_' and '-', at most 32, for instance core [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "ssh_user": "John Doe",  # <- here
        },
    )
]
