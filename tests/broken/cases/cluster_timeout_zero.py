# expect: matrix: cluster_timeout (from host data, FILE:here): 0 is not a duration; write for instance "10 minutes" (units: seconds, minutes, hours, days, weeks) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "k3s_role": "server",
            "cluster_timeout": 0,  # <- here
        },
    )
]
