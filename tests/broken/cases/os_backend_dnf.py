# expect: matrix: os_backend (from host data, FILE:here): 'dnf' is not known; write 'rpm-ostree' or 'bootc' [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_backend": "dnf",  # <- here
        },
    )
]
