# expect: matrix: os_image_sha256 (from host data, FILE:here): os_image_sha256 without os_image; remove it, a stream brings its own checksums [ZT104]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_image_sha256": "0000000000000000000000000000000000000000000000000000000000000000",  # <- here
        },
    )
]
