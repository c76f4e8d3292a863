# expect: matrix_1: host: 'matrix_1' is not a host name; use a-z, 0-9 and '-' inside, at most 63, for instance docker1 [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix_1",
        {
            **RIGHT,
            "vm_cpus": 2,  # <- here
        },
    )
]
