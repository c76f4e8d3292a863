# expect: matrix: data_label (from host data, FILE:here): 'my data' is not a label of ext4; use 1 to 16 of A-Z, a-z, 0-9, '_' and '-' [ZT104]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_label": "my data",  # <- here
        },
    )
]
