# expect: matrix: os_butane (from host data, FILE:here): (inline) may not declare storage.filesystems: disks and filesystems are zerotoil's [ZT622]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_butane": ['storage: {filesystems: [{device: /dev/vdb, format: ext4}]}'],  # <- here
        },
    )
]
