# expect: matrix: os_butane (from host data, FILE:here): unit my.service: Service has no ExecStart=, ExecStop=, or SuccessAction=; man systemd.service says what it needs [ZT623]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_butane": ['systemd: {units: [{name: my.service, contents: "[Service]\\nType=simple\\n"}]}'],  # <- here
        },
    )
]
