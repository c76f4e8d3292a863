# expect: matrix: os_butane (from host data, FILE:here): (inline) may not declare storage.disks: disks and filesystems are zerotoil's [ZT622]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_butane": ['storage: {disks: [{device: /dev/vdb, wipe_table: true}]}'],  # <- here
        },
    )
]
