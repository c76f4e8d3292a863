# expect: matrix: apps_reconcile (from host data, FILE:here): '0 minutes' is not a duration; write for instance "10 minutes" (units: seconds, minutes, hours, days, weeks) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "apps_reconcile": "0 minutes",  # <- here
        },
    )
]
