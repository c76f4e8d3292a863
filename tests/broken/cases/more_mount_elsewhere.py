# expect: matrix: data_more (from host data, FILE:here): media.mount: '/srv/media' is not a place for a volume; write /var/mnt/NAME, and neither data nor restore for NAME [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_more": {"media": {"size": "2 TiB", "mount": "/srv/media"}},  # <- here
        },
    )
]
