# expect: FILE: a host without a name: write hosts as [("@vm/NAME", {…})] [ZT110]
from tests.broken.right import RIGHT

vms = [("@vm", RIGHT)]
