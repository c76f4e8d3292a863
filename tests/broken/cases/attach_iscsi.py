# expect: matrix: data_attach (from host data, FILE:here): 'iscsi' is not known; write 'network' or 'block' [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_attach": "iscsi",  # <- here
        },
    )
]
