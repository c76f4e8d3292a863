# expect: matrix: os_window (from host data, FILE:here): [0]: 'Sat 03:00-03:05' is shorter than 10 minutes, and an updater looks every few minutes; write a later end [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_source": "ghcr.io/me/os:stable",
            "os_window": ["Sat 03:00-03:05"],  # <- here
        },
    )
]
