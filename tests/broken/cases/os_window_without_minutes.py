# expect: matrix: os_window (from host data, FILE:here): [0]: 'Sat 3-5' is no window; write for instance "Sat 03:00-05:00", "Mon-Fri 02:30-03:30" or "03:00-05:00" for every day [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_source": "ghcr.io/me/os:stable",
            "os_window": ["Sat 3-5"],  # <- here
        },
    )
]
