# expect: matrix: os_strategy (from host data, FILE:here): 'periodic' is not known; write 'immediate' or 'window' or 'fleet-lock' or 'off' [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_strategy": "periodic",  # <- here
        },
    )
]
