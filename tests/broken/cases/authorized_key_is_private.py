# expect: matrix: ssh_authorized_keys (from host data, FILE:here): holds what is no public key (-----BEGIN OPENSSH P…): write "file:~/.ssh/id_ed25519.pub" or the line in it, never the private key [ZT714]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "ssh_authorized_keys": ["-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk"],  # <- here
        },
    )
]
