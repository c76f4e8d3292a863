# expect: tests/broken/cases/group_data_raises/group_data/kube.py:1: NameError: {python}: mend this line [ZT110]
from tests.broken.right import RIGHT

kube = [("@vm/matrix", RIGHT)]
