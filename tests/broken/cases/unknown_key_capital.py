# expect: matrix: VM_CPUS (from host data, FILE:here): unknown key; did you mean vm_cpus? [ZT101]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "VM_CPUS": 4,  # <- here
        },
    )
]
