# expect: matrix: apps (from host data, FILE:here): there is no apps/blog/compose.yaml; the project has no app: see docs/guides/apps.md [ZT170]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "apps": ["blog"],  # <- here
        },
    )
]
