# expect: matrix: os_butane (from host data, FILE:here): (inline): storage.files is no list: begin each item with a dash [ZT621]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_butane": ['storage:\n  files:\n    path: /etc/motd'],  # <- here
        },
    )
]
