# expect: matrix: data_label (from host data, FILE:here): 'photos-and-films' is not a label of xfs; use 1 to 12 of A-Z, a-z, 0-9, '_' and '-' [ZT104]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_label": "photos-and-films",  # <- here
            "data_filesystem": "xfs",
        },
    )
]
