# expect: FILE: Invalid connector: vms: write hosts as [("@vm/NAME", {…})] [ZT110]
from tests.broken.right import RIGHT

vms = [("@vms/matrix", RIGHT)]
