# expect: matrix: vm_shutdown_timeout (from host data, FILE:here): '2m' is not a duration; write for instance "10 minutes" (units: seconds, minutes, hours, days, weeks) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_shutdown_timeout": "2m",  # <- here
        },
    )
]
