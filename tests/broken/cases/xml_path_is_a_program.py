# expect: matrix: vm_xml (from host data, FILE:here): /bin/sh cannot be read (it is no text): write a path, or XML text [ZT710]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_xml": "/bin/sh",  # <- here
        },
    )
]
