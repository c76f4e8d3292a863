# expect: matrix: vm_restart (from host data, FILE:here): 'soon' is not known; write 'later' or 'now' [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_restart": "soon",  # <- here
        },
    )
]
