# expect: one: data_more (from host data, FILE:here): the extent one-media of the volume media is one-media's; call the volume otherwise [ZT106]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/one",
        {
            **RIGHT,
            "data_more": {"media": {"size": "2 TiB"}},  # <- here
        },
    ),
    ("@vm/one-media", {**RIGHT}),
]
