# expect: matrix: os_butane (from host data, FILE:here): (inline) is no Butane config: write sections such as storage:, systemd: [ZT621]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_butane": ['- storage: {files: []}'],  # <- here
        },
    )
]
