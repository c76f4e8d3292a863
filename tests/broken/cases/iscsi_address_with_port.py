# expect: matrix: iscsi_address (from host data, FILE:here): 'nas.lan:3260' is not a host or an address; write for instance 192.168.1.10, and the port in iscsi_port [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "iscsi_address": "nas.lan:3260",  # <- here
        },
    )
]
