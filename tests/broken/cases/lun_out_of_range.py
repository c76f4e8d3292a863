# expect: matrix: iscsi_lun (from host data, FILE:here): 16383 is not a whole number from 0 to 16382 (LUN of the data volume) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "iscsi_lun": 16383,  # <- here
        },
    )
]
