# expect: matrix: data_more (from host data, FILE:here): 'Media' is not the name of a volume; use a-z, 0-9 and '-', at most 16, a letter first [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_more": {"Media": {"size": "2 TiB"}},  # <- here
        },
    )
]
