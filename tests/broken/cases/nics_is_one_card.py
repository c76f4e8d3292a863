# expect: matrix: vm_nics (from host data, FILE:here): {'network': 'default'} is not a list; write [{'network': 'default'}] (network cards such as {'network': 'default'} or {'bridge': 'br0'}) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_nics": {"network": "default"},  # <- here
        },
    )
]
