# expect: matrix: iscsi_initiators (from host data, FILE:here): 'hv1' is not an initiator name; it looks like iqn.1993-08.org.debian:01:abcdef [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "iscsi_initiators": ["hv1"],  # <- here
        },
    )
]
