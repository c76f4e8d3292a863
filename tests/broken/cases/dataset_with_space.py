# expect: matrix: nas_dataset (from host data, FILE:here): 'tank/my lab' is not a dataset name; write for instance tank/lab [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "nas_dataset": "tank/my lab",  # <- here
        },
    )
]
