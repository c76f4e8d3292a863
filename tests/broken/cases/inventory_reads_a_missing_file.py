# expect: FILE:here: FileNotFoundError: {python}: mend this line [ZT110]
from pathlib import Path

from tests.broken.right import RIGHT

KEY = Path("no/such/key.pub").read_text()  # <- here
vms = [("@vm/matrix", {**RIGHT, "ssh_authorized_keys": [KEY]})]
