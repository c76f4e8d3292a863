# expect: matrix: os_signature_key (from host data, FILE:here): nosuch/cosign.pub cannot be read (No such file or directory): write the path of a file [ZT710]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_source": "ghcr.io/me/os:stable",
            "os_signature_key": "nosuch/cosign.pub",  # <- here
        },
    )
]
