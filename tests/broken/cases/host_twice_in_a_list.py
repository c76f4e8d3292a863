# expect: matrix: host (from FILE:here): declared twice, first in line:first; the data of both would be mixed, so give each its own name [ZT112]
from tests.broken.right import RIGHT

vms = [
    ("@vm/matrix", {**RIGHT, "vm_cpus": 2}),  # <- first
    ("@vm/matrix", {**RIGHT, "vm_cpus": 4}),  # <- here
]
