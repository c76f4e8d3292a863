# expect: matrix: nas_ca (from host data, FILE:here): 1 is not a path; write it in quotes (CA certificate, PEM that signed the NAS's own; default: the system's CAs) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "nas_ca": 1,  # <- here
        },
    )
]
