# expect: matrix: os_window (from host data, FILE:here): [0]: 'Sat 23:00-24:00': there is no such time; write 00:00 to 23:59 [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_source": "ghcr.io/me/os:stable",
            "os_window": ["Sat 23:00-24:00"],  # <- here
        },
    )
]
