# expect: matrix: os_butane (from host data, FILE:here): (inline) may not declare boot_device: disks and filesystems are zerotoil's [ZT622]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_butane": ['boot_device: {layout: x86_64}'],  # <- here
        },
    )
]
