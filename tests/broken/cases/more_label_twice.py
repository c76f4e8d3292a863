# expect: matrix: data_more (from host data, FILE:here): db.label: x is already that of media; every volume needs its own [ZT104]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "data_more": {"media": {"size": "2 TiB", "label": "x"}, "db": {"size": "1 GiB", "label": "x"}},  # <- here
        },
    )
]
