# expect: matrix: data_snapshot_naming (from host data, FILE:here): 'auto-%Y-%m-%d_%H' holds not all of %Y %m %d %H %M (or %s), or snapshots of one day would collide; write for instance auto-%Y-%m-%d_%H-%M [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_snapshot_naming": "auto-%Y-%m-%d_%H",  # <- here
        },
    )
]
