# expect: matrix: vm_accel (from host data, FILE:here): True is not known; write 'auto' or 'kvm' or 'emulated' [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_accel": True,  # <- here
        },
    )
]
