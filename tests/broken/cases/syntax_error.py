# expect: FILE:here: SyntaxError: {python}: mend this line or the one above [ZT110]
from tests.broken.right import RIGHT

vms = [
    ("@vm/matrix", {**RIGHT, "vm_cpus": 2}
]  # <- here
