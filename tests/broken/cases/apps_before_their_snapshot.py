# expect: matrix: watchtower_schedule (from host data, FILE:here): the updates at 01:00 find a restore point of 23 hours before; let it come 10 minutes to 12 hours after data_snapshot_schedule [ZT104]
# expect: matrix: apps (from host data, FILE:blog): there is no apps/blog/compose.yaml; the project has no app: see docs/guides/apps.md [ZT170]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "apps": ["blog"],  # <- blog
            "watchtower_schedule": "0 0 1 * * *",  # <- here
        },
    )
]
