# expect: matrix: 5 (from host data): unknown key; docs/reference/keys.md lists all [ZT101]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            5: "five",  # <- here
        },
    )
]
