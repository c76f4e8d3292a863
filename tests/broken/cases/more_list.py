# expect: matrix: data_more (from host data, FILE:here): not a mapping; write {…} (more volumes, at /var/mnt/NAME: {"media": {"size": "2 TiB", "filesystem": "xfs"}}) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_more": ["media"],  # <- here
        },
    )
]
