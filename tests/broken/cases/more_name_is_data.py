# expect: matrix: data_more (from host data, FILE:here): 'data' could be taken for the data volume or a clone of one; choose another name [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_more": {"data": {"size": "2 TiB"}},  # <- here
        },
    )
]
