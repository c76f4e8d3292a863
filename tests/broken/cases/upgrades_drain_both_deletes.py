# expect: matrix: upgrades_drain (from host data, FILE:here): delete_local_data: delete_local_data is the old name of delete_emptydir_data, and the controller refuses both; write one [ZT104]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "k3s_role": "server",
            "upgrades_enabled": True,
            "upgrades_channel": "v1.36",
            "upgrades_drain": {"delete_local_data": True, "delete_emptydir_data": True},  # <- here
        },
    )
]
