# expect: matrix: notify_sinks (from host data, FILE:here): notify_sinks[0]: signals:// is Apprise's form: write signal://[USER:PASSWORD@]HOST[:PORT]/+FROM/+TO[/+TO…][?disabletls=yes&token=…] [ZT141]
from zerotoil.model.secret import Secret

from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "notify_sinks": [Secret("signals://h/+4915112345678/+4915187654321")],  # <- here
        },
    )
]
