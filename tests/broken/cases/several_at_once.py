# expect: matrix: vm_memry (from host data, FILE:typo): unknown key; did you mean vm_memory? [ZT101]
# expect: matrix: vm_cpus (from host data, FILE:here): 0 is not a whole number from 1 to 512 (virtual CPUs) [ZT103]
# expect: matrix: data_size (from host data, FILE:size): 20 has no unit; write for instance "20 GiB" [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_cpus": 0,  # <- here
            "vm_memry": "4 GiB",  # <- typo
            "data_size": "20",  # <- size
        },
    )
]
