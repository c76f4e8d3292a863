# expect: matrix: data_serial (from host data, FILE:here): 'disk/1' is not a serial; it is part of a device's path: use A-Z, a-z, 0-9, '.', '_' and '-' [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_serial": "disk/1",  # <- here
        },
    )
]
