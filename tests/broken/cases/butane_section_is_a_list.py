# expect: matrix: os_butane (from host data, FILE:here): (inline): storage is no mapping: write storage: {files: […]} [ZT621]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_butane": ['storage:\n  - path: /etc/motd'],  # <- here
        },
    )
]
