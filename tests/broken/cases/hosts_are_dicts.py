# expect: Ignoring host group "vms". Host groups may only contain strings (host) or tuples (host, data).
# expect: FILE has no host of ours: write hosts as [("@vm/NAME", {…})]; others are left alone [ZT113]
from tests.broken.right import RIGHT

vms = [{"@vm/matrix": RIGHT}]
