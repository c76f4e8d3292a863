# expect: matrix: os_window: os_strategy is window, and no window is there; write for instance ["Sat 03:00-05:00"] [ZT104]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_strategy": "window",  # <- here
        },
    )
]
