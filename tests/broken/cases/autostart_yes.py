# expect: matrix: vm_autostart (from host data, FILE:here): 'yes' is neither True nor False; write one of them without quotes (start with the hypervisor) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_autostart": "yes",  # <- here
        },
    )
]
