# expect: matrix: nas_timeout (from host data, FILE:here): 'half a minute' is not a duration; write for instance "10 minutes" (units: seconds, minutes, hours, days, weeks) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "nas_timeout": "half a minute",  # <- here
        },
    )
]
