# expect: matrix: os_keep (from host data, FILE:here): -1 is not a whole number from 0 to 20 (old OS disks kept after a migration or rebuild) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_keep": -1,  # <- here
        },
    )
]
