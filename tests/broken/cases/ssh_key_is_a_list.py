# expect: matrix: ssh_key (from host data, FILE:here): ['~/.ssh/id_ed25519'] is a list; write one text in quotes (private key file; default: your agent and ~/.ssh) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "ssh_key": ["~/.ssh/id_ed25519"],  # <- here
        },
    )
]
