# expect: FILE has no host of ours: write hosts as [("@vm/NAME", {…})]; others are left alone [ZT113]
from tests.broken.right import RIGHT

vms = []
