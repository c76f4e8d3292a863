# expect: matrix: iscsi_initiators (from host data, FILE:here): 'iqn.1993-08.org.debian:01:hv1' is not a list; write ['iqn.1993-08.org.debian:01:hv1'] (IQNs of the hypervisor; nobody else may log in) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "iscsi_initiators": "iqn.1993-08.org.debian:01:hv1",  # <- here
        },
    )
]
