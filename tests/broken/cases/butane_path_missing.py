# expect: matrix: os_butane (from host data, FILE:here): fragment no/such/fragment.bu cannot be read (No such file or directory): write the path of a file [ZT710]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_butane": ["no/such/fragment.bu"],  # <- here
        },
    )
]
