# expect: matrix: os_fleet_lock (from host data, FILE:here): 'lock.lan' is no URL; write for instance http://lock.lan:3333 [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_source": "ghcr.io/me/os:stable",
            "os_fleet_lock": "lock.lan",  # <- here
        },
    )
]
