# expect: matrix: vm_adopt (from host data, FILE:here): 'yes' is neither True nor False; write one of them without quotes (take over a VM and a volume that zerotoil did not make, docs/guides/adopt.md) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_adopt": "yes",  # <- here
        },
    )
]
