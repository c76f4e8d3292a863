# expect: matrix: notify_repeat (from host data, FILE:here): 'never' is not a duration; write for instance "10 minutes" (units: seconds, minutes, hours, days, weeks) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "notify_repeat": "never",  # <- here
        },
    )
]
