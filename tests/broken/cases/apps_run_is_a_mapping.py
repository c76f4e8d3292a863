# expect: matrix: apps_run (from host data, FILE:here): {'web': {}} is not a list; write […] (apps of the host: names of folders in apps/, short: apps) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "apps_run": {"web": {}},  # <- here
        },
    )
]
