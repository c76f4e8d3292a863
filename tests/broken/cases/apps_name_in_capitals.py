# expect: matrix: apps (from host data, FILE:here): 'Web' is not the name of an app; use a-z, 0-9 and '-', at most 40, for instance atuin [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "apps": ["Web"],  # <- here
        },
    )
]
