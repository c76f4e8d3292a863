# expect: matrix: vm_xml (from host data, FILE:here): may not hold <name>: it names the VM [ZT121]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_xml": "<name>other</name>",  # <- here
        },
    )
]
