# expect: matrix: vm_xml (from host data, FILE:here): is not XML (Opening and ending tag mismatch: cpu line 1 and domain, line 1, column 47): write elements as below <domain> [ZT120]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_xml": "<cpu mode='host-passthrough'>",  # <- here
        },
    )
]
