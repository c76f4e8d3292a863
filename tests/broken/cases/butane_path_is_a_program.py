# expect: matrix: os_butane (from host data, FILE:here): fragment /bin/sh cannot be read (it is no text): write the path of a text file [ZT710]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_butane": ["/bin/sh"],  # <- here
        },
    )
]
