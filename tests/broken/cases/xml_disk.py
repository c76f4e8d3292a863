# expect: matrix: vm_xml (from host data, FILE:here): may not hold <disk>: a second disk could be someone's data; data is declared with data_size [ZT121]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_xml": "<devices><disk type='block'/></devices>",  # <- here
        },
    )
]
