# expect: matrix: os_butane (from host data, FILE:here): (inline): systemd.units[0] has no name: write name: … [ZT621]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_butane": ['systemd: {units: [docker.service]}'],  # <- here
        },
    )
]
