# expect: matrix: os_signature_key (from host data, FILE:here): a stream is signed by Fedora and checked already; write an image as os_source, or leave it out [ZT104]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_signature_key": "cosign.pub",  # <- here
        },
    )
]
