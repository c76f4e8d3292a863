# expect: FILE:here: KeyError: {python}: mend this line [ZT110]
from tests.broken.right import RIGHT

SIZES = {"small": "2 GiB"}
vms = [("@vm/matrix", {**RIGHT, "vm_memory": SIZES["big"]})]  # <- here
