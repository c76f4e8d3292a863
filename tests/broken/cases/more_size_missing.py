# expect: matrix: data_more (from host data, FILE:here): media.size: missing; size of the volume; it may grow, never shrink [ZT102]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_more": {"media": {}},  # <- here
        },
    )
]
