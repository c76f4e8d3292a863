# expect: mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm: host: 'mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm' is not a host name; use a-z, 0-9 and '-' inside, at most 63, for instance docker1 [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm",
        {
            **RIGHT,
            "data_serial": "x",  # <- here
        },
    )
]
