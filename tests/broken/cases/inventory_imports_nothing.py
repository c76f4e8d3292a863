# expect: FILE:here: ModuleNotFoundError: {python}: mend this line
from tests.broken.rigt import RIGHT  # <- here

vms = [("@vm/matrix", RIGHT)]
