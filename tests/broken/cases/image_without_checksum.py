# expect: matrix: os_image (from host data, FILE:here): os_image needs os_image_sha256 (64 hex digits): an image is never booted unverified [ZT104]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_image": "/srv/fcos.qcow2",  # <- here
        },
    )
]
