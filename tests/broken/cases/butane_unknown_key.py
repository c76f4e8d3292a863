# expect: matrix: os_butane (from host data, FILE:here): Butane refuses the config (storage.files[/etc/motd].content: unused key content): mend os_butane or templates/ [ZT620]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_butane": ['storage: {files: [{path: /etc/motd, content: {inline: hi}}]}'],  # <- here
        },
    )
]
