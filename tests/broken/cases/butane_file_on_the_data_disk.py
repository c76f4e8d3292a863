# expect: matrix: os_butane (from host data, FILE:here): (inline) writes /var/mnt/data/app.env on the data disk: data comes from apps and people; a file there would make Ignition fail at the next rebuild [ZT622]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_butane": ['storage: {files: [{path: /var/mnt/data/app.env, contents: {inline: A=1}}]}'],  # <- here
        },
    )
]
