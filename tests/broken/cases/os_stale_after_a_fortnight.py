# expect: matrix: os_stale_after (from host data, FILE:here): '1 fortnight' is not a duration; write for instance "10 minutes" (units: seconds, minutes, hours, days, weeks) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_stale_after": "1 fortnight",  # <- here
        },
    )
]
