# expect: matrix: apps_values (from host data, FILE:here): web: not a mapping; write {…} (what templates are filled with, by app: {"atuin": {"db_password": "file:PATH"}}) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "apps_values": {"web": ["password"]},  # <- here
        },
    )
]
