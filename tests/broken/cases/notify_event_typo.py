# expect: matrix: notify_events (from host data, FILE:here): 'backup-fail' is no event; did you mean backup-failed? [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "notify_events": ["missing", "backup-fail"],  # <- here
        },
    )
]
