# expect: matrix: lab_name (from host data, FILE:here): 'my lab' is not a name of a lab; use a-z, 0-9 and '-' inside, at most 63, for instance home [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "lab_name": "my lab",  # <- here
        },
    )
]
