# expect: matrix: os_butane (from host data, FILE:here): (inline) is of variant flatcar: write variant: fcos [ZT621]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_butane": ['variant: flatcar\nversion: 1.0.0'],  # <- here
        },
    )
]
