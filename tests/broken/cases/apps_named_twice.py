# expect: matrix: apps (from host data, FILE:here): web stands in it twice; name each app once [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "apps": ["web", "web"],  # <- here
        },
    )
]
