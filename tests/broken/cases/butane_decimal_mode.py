# expect: matrix: os_butane (from host data, FILE:here): Butane refuses the config (storage.files[/etc/motd].mode: unreasonable mode would be reasonable if specified in octal; remember to add a leading zero): mend os_butane or templates/ [ZT620]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_butane": ['storage: {files: [{path: /etc/motd, mode: 644, contents: {inline: hi}}]}'],  # <- here
        },
    )
]
