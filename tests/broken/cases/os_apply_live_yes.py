# expect: matrix: os_apply_live (from host data, FILE:here): 'yes' is neither True nor False; write one of them without quotes (take updates without a restart where that is possible, your image, rpm-ostree) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_apply_live": "yes",  # <- here
        },
    )
]
