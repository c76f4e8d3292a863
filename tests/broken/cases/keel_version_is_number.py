# expect: matrix: keel_version (from host data, FILE:here): 1.2 is not text; write it in quotes (version of the chart) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "k3s_role": "server",
            "keel_enabled": True,
            "keel_version": 1.2,  # <- here
        },
    )
]
