# expect: matrix: os_butane (from host data, FILE:here): (inline) is no YAML at line 1 (expected the node content, but found '<stream end>'): mend the fragment [ZT621]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_butane": ['storage: ['],  # <- here
        },
    )
]
