# expect: matrix: vm_boot_timeout (from host data, FILE:here): 600 is not a duration; write for instance "10 minutes" (units: seconds, minutes, hours, days, weeks) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_boot_timeout": 600,  # <- here
        },
    )
]
