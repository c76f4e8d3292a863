# expect: matrix: os_keyring (from host data, FILE:here): 4 is not a path; write it in quotes (GPG keyring; when set, the stream image's signature is checked too) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_keyring": 4,  # <- here
        },
    )
]
