# expect: matrix: os_fleet_lock (from host data, FILE:here): nothing would ask this server; write os_strategy fleet-lock, or leave it out [ZT104]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_fleet_lock": "http://lock.lan",  # <- here
        },
    )
]
