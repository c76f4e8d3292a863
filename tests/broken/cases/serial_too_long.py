# expect: matrix: data_serial (from host data, FILE:here): 'a-serial-that-is-too-long' is 25 bytes, virtio keeps 20; write a shorter data_serial [ZT104]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_serial": "a-serial-that-is-too-long",  # <- here
        },
    )
]
