# expect: matrix: os_butane (from host data, FILE:here): Butane refuses the config (storage.files[etc/motd].path: path not absolute): mend os_butane or templates/ [ZT620]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_butane": ['storage: {files: [{path: etc/motd, contents: {inline: hi}}]}'],  # <- here
        },
    )
]
