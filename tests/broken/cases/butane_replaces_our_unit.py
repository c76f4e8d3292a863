# expect: matrix: os_butane (from host data, FILE:here): (inline): systemd.units var-mnt-data.mount would replace enabled, which is zerotoil's: use another name or a drop-in [ZT622]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_butane": ['systemd: {units: [{name: var-mnt-data.mount, enabled: false}]}'],  # <- here
        },
    )
]
