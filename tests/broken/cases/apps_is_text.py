# expect: matrix: apps (from host data, FILE:here): 'web' is not a list; write ['web'] (apps of the host: names of folders in apps/, short: apps) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "apps": "web",  # <- here
        },
    )
]
