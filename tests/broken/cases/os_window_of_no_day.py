# expect: matrix: os_window (from host data, FILE:here): [0]: 'Sa 03:00-05:00': 'Sa' is no day; write Mon, Tue, Wed, Thu, Fri, Sat, Sun, or two of them as Mon-Fri [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_source": "ghcr.io/me/os:stable",
            "os_window": ["Sa 03:00-05:00"],  # <- here
        },
    )
]
