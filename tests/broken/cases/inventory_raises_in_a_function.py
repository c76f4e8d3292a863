# expect: FILE:here: TypeError: {python}: mend this line [ZT110]
from tests.broken.right import RIGHT


def memory(gib):
    return gib + " GiB"  # <- here


vms = [("@vm/matrix", {**RIGHT, "vm_memory": memory(4)})]
