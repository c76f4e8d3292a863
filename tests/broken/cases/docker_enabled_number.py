# expect: matrix: docker_enabled (from host data, FILE:here): 1 is neither True nor False; write one of them without quotes (enable docker.service, on CoreOS only its socket is, so containers come back) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "docker_enabled": 1,  # <- here
        },
    )
]
