# expect: matrix: data_more (from host data, FILE:here): media.serial: 'os' is a serial of zerotoil's own disks; write another [ZT104]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_more": {"media": {"size": "2 TiB", "serial": "os"}},  # <- here
        },
    )
]
