# expect: matrix: notify_sinks (from host data, FILE:here): notify_sinks[0]: a host cannot send to mailtos://: take one of signal://, ntfy://, gotify://, generic://, json://, jsons://, slack://, discord://, telegram://; an Apprise API (generic://HOST:8000/notify/KEY?messagekey=body) or Mailrise takes the rest [ZT141]
from zerotoil.model.secret import Secret

from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "notify_sinks": [Secret("mailtos://me@home.lan")],  # <- here
        },
    )
]
