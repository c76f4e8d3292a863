# expect: matrix: hypervisor_timeout (from host data, FILE:here): '0 seconds' is not a duration; write for instance "10 minutes" (units: seconds, minutes, hours, days, weeks) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "hypervisor_timeout": "0 seconds",  # <- here
        },
    )
]
