# expect: matrix: os_butane (from host data, FILE:here): (inline): storage.files[0] has no path: write path: … [ZT621]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_butane": ['storage: {files: [{contents: {inline: hi}}]}'],  # <- here
        },
    )
]
