# expect: matrix: data_partlabel (from host data, FILE:here): 'root' is a partition of CoreOS's own disk; give the data partition another label [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_partlabel": "root",  # <- here
        },
    )
]
