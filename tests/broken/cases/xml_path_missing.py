# expect: matrix: vm_xml (from host data, FILE:here): no/such/extra.xml cannot be read (No such file or directory): write a path, or XML text [ZT710]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_xml": "no/such/extra.xml",  # <- here
        },
    )
]
