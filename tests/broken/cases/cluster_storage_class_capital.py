# expect: matrix: cluster_storage_class (from host data, FILE:here): 'Data' is no name of an object; use a-z, 0-9, '-' and '.' [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "k3s_role": "server",
            "cluster_storage_class": "Data",  # <- here
        },
    )
]
