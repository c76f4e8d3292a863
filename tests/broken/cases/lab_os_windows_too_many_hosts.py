# expect: three: os_stagger (from host data, FILE:here): os_window Sat 03:00-03:45 is 45 minutes long, and the turn of three, host 2 of 3, begins 40 minutes after its start and needs 10 minutes; write a longer window, or a shorter os_stagger than 40 minutes [ZT106]
# expect: two: os_stagger: os_window Sat 03:00-03:45 is 45 minutes long, and the turn of two, host 3 of 3, begins 40 minutes after its start and needs 10 minutes; write a longer window, or a shorter os_stagger than 20 minutes [ZT106]
from tests.broken.right import RIGHT

OWN = {**RIGHT, "os_source": "ghcr.io/me/os:stable", "os_window": ["Sat 03:00-03:45", "Sun 03:00-05:00"]}
vms = [
    ("@vm/one", OWN),
    ("@vm/three", {**OWN, "os_stagger": "40 minutes"}),  # <- here
    ("@vm/two", OWN),
]
