# expect: matrix: os_packages (from host data, FILE:here): '--force' is no name of a package; write for instance tailscale [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_packages": ["--force"],  # <- here
        },
    )
]
