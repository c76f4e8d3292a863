# expect: matrix: notify_sinks (from host data, FILE:here): [0]: a secret is not written in the inventory; write "file:PATH", "env:NAME" or Secret(…) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "notify_sinks": ["ntfy://ntfy.sh/home"],  # <- here
        },
    )
]
