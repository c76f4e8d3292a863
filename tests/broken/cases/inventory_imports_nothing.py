# expect: FILE:here: ModuleNotFoundError: {python}: mend this line [ZT110]
from tests.broken.rigt import RIGHT  # <- here

vms = [("@vm/matrix", RIGHT)]
