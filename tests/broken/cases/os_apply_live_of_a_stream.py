# expect: matrix: os_apply_live (from host data, FILE:here): it needs an image of your own (os_source) and os_backend rpm-ostree; leave it out [ZT104]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_apply_live": True,  # <- here
        },
    )
]
