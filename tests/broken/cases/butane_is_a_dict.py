# expect: matrix: os_butane (from host data, FILE:here): {'storage': {}} is not a list; write […] (your own Butane fragments, text or paths: users, files, directories, units) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_butane": {"storage": {}},  # <- here
        },
    )
]
