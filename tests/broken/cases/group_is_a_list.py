# expect: matrix: iscsi_group (from host data, FILE:here): ['hv1'] is a list; write one text in quotes (comment of an existing initiator group to use; default: a group of the host's own) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "iscsi_group": ["hv1"],  # <- here
        },
    )
]
