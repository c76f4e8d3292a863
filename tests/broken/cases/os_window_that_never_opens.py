# expect: matrix: os_window (from host data, FILE:here): [0]: 'Sat 03:00-03:00' ends when it begins, so it never opens; write a later end [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_source": "ghcr.io/me/os:stable",
            "os_window": ["Sat 03:00-03:00"],  # <- here
        },
    )
]
