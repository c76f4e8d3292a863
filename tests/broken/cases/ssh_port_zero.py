# expect: matrix: ssh_port (from host data, FILE:here): 0 is not a whole number from 1 to 65535 (port) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "ssh_port": 0,  # <- here
        },
    )
]
