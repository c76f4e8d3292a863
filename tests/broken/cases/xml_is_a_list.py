# expect: matrix: vm_xml (from host data, FILE:here): ['<cpu/>'] is a list; write one text in quotes (elements added to <domain>, as XML text or the path of a file) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_xml": ["<cpu/>"],  # <- here
        },
    )
]
