# expect: matrix: os_stagger (from host data, FILE:here): 90 seconds is no number of whole minutes; write for instance "20 minutes" [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_stagger": "90 seconds",  # <- here
        },
    )
]
