# expect: matrix: iscsi_extent (from host data, FILE:here): 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' is not the name of an extent; write at most 64 characters, without '"' [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "iscsi_extent": "x" * 65,  # <- here
        },
    )
]
