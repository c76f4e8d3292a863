# expect: matrix: vm_nics (from host data, FILE:here): an empty list; write at least one (network cards such as {'network': 'default'} or {'bridge': 'br0'}) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_nics": [],  # <- here
        },
    )
]
