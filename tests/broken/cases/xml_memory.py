# expect: matrix: vm_xml (from host data, FILE:here): may not hold <memory>: use vm_memory [ZT121]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_xml": "<memory>4</memory>",  # <- here
        },
    )
]
