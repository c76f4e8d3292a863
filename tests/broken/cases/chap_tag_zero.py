# expect: matrix: iscsi_chap_tag (from host data, FILE:here): 0 is not a whole number of at least 1 (tag of the CHAP entry on the NAS, its group of credentials) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "iscsi_chap_tag": 0,  # <- here
        },
    )
]
