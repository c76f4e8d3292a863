# expect: matrix: apps_updates (from host data, FILE:here): 'weekly' is not known; write 'auto' or 'notify' or 'off' or 'auto+revert' [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "apps_updates": "weekly",  # <- here
        },
    )
]
