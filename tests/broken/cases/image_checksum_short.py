# expect: matrix: os_image_sha256 (from host data, FILE:here): os_image needs os_image_sha256 (64 hex digits): an image is never booted unverified [ZT104]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_image_sha256": "abc",  # <- here
            "os_image": "/srv/fcos.qcow2",
        },
    )
]
