# expect: two: data_more (from host data, FILE:here): disk serial shared is already one's; every host needs its own [ZT105]
from tests.broken.right import RIGHT

vms = [
    ("@vm/one", {**RIGHT, "data_more": {"media": {"size": "2 TiB", "serial": "shared"}}}),
    (
        "@vm/two",
        {
            **RIGHT,
            "data_more": {"media": {"size": "2 TiB", "serial": "shared"}},  # <- here
        },
    ),
]
