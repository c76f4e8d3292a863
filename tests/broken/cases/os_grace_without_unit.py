# expect: matrix: os_grace (from host data, FILE:here): '10' is not a duration; write for instance "10 minutes" (units: seconds, minutes, hours, days, weeks) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_grace": "10",  # <- here
        },
    )
]
