# expect: matrix: data_more (from host data, FILE:here): media.filesytem: unknown field; did you mean filesystem? [ZT101]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_more": {"media": {"size": "2 TiB", "filesytem": "xfs"}},  # <- here
        },
    )
]
