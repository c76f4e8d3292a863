# expect: matrix: os_stream_url (from host data, FILE:here): 'streams/' is not an address of streams; write for instance https://mirror.lan/streams/ [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_stream_url": "streams/",  # <- here
        },
    )
]
