# expect: matrix: ssh_authorized_keys (from host data, FILE:here): no/such/key.pub cannot be read (No such file or directory): write the path of a file [ZT710]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "ssh_authorized_keys": ["file:no/such/key.pub"],  # <- here
        },
    )
]
