# expect: matrix: data_more (from host data, FILE:here): photographs-2026.serial: 'matrix-photographs-2026' is 23 bytes, virtio keeps 20; write a shorter serial [ZT104]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_more": {"photographs-2026": {"size": "2 TiB"}},  # <- here
        },
    )
]
