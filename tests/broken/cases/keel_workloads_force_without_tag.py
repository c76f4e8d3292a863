# expect: matrix: keel_workloads (from host data, FILE:here): web/site: force alone takes any tag that is pushed, also an older one; write force+tag [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "k3s_role": "server",
            "keel_enabled": True,
            "keel_workloads": {"web/site": "force"},  # <- here
        },
    )
]
