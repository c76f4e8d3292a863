# expect: matrix: os_butane (from host data, FILE:here): unit my.service line 2: Unknown key 'ExecStrat' in section [Service]; man systemd.directives lists all [ZT623]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_butane": ['systemd: {units: [{name: my.service, contents: "[Service]\\nExecStrat=/bin/true\\nExecStart=/bin/true\\n"}]}'],  # <- here
        },
    )
]
