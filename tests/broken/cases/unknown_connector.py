# expect: FILE: Invalid connector: vms: write hosts as [("@vm/NAME", {…})]
from tests.broken.right import RIGHT

vms = [("@vms/matrix", RIGHT)]
