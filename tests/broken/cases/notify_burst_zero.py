# expect: matrix: notify_burst (from host data, FILE:here): 0 is not a whole number from 1 to 1000 (messages an hour at most; what is above is summed up in one) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "notify_burst": 0,  # <- here
        },
    )
]
