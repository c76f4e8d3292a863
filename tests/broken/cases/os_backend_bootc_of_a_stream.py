# expect: matrix: os_backend (from host data, FILE:here): a stream is updated by Zincati through rpm-ostree; write an image as os_source, or leave it out [ZT104]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_backend": "bootc",  # <- here
        },
    )
]
