# expect: matrix: upgrades_days (from host data, FILE:here): [0]: 'monday' is not known; write 'mo' or 'tu' or 'we' or 'th' or 'fr' or 'sa' or 'su' [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "k3s_role": "server",
            "upgrades_enabled": True,
            "upgrades_channel": "v1.36",
            "upgrades_days": ["monday"],  # <- here
        },
    )
]
