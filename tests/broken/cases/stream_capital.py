# expect: matrix: os_stream (from host data, FILE:here): 'Stable' is not the name of a stream; write stable, testing or next [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_stream": "Stable",  # <- here
        },
    )
]
