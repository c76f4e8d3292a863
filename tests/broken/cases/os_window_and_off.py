# expect: matrix: os_window (from host data, FILE:here): os_strategy is off, so a window would mean nothing; write os_strategy window, or leave it out [ZT104]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_source": "ghcr.io/me/os:stable",
            "os_strategy": "off",
            "os_window": ["Sat 03:00-05:00"],  # <- here
        },
    )
]
