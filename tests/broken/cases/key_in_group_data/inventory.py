# expect: matrix: vm_memory (from group 'kube', tests/broken/cases/key_in_group_data/group_data/kube.py:2): '4 gigs' is not a size; write for instance "4 GiB" (units: KiB, MiB, GiB, TiB, kB, KB, MB, GB, TB) [ZT103]
from tests.broken.right import RIGHT

kube = [("@vm/matrix", RIGHT)]
