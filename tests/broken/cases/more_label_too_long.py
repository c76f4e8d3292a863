# expect: matrix: data_more (from host data, FILE:here): photo-library.label: 'photo-library' is not a label of xfs; use 1 to 12 of A-Z, a-z, 0-9, '_' and '-' [ZT104]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_more": {"photo-library": {"size": "2 TiB", "filesystem": "xfs"}},  # <- here
        },
    )
]
