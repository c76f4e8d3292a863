# expect: matrix: vm_xml (from host data, FILE:here): ~nosuchuser/extra.xml cannot be read (Could not determine home directory.): write a path, or XML text [ZT710]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_xml": "~nosuchuser/extra.xml",  # <- here
        },
    )
]
