# expect: matrix: iscsi_target (from host data, FILE:here): 'Matrix_1' is not a target name; use a-z, 0-9, '-', '.' and ':' [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "iscsi_target": "Matrix_1",  # <- here
        },
    )
]
