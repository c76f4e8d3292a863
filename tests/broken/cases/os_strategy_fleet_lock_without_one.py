# expect: matrix: os_fleet_lock: os_strategy is fleet-lock, and no server is there; write its URL, for instance http://lock.lan:3333 [ZT104]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_strategy": "fleet-lock",  # <- here
        },
    )
]
