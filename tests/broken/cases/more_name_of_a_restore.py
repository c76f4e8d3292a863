# expect: matrix: data_more (from host data, FILE:here): 'media-restore-x' could be taken for the data volume or a clone of one; choose another name [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_more": {"media-restore-x": {"size": "2 TiB"}},  # <- here
        },
    )
]
