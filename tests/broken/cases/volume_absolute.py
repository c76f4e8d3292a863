# expect: matrix: data_volume (from host data, FILE:here): '/dev/zvol/tank/vms/matrix' is not the name of a dataset; write for instance tank/vms/matrix [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_volume": "/dev/zvol/tank/vms/matrix",  # <- here
        },
    )
]
