# expect: matrix: os_butane (from host data, FILE:here): Butane refuses the config (cannot unmarshal !!str `many` into int): mend os_butane or templates/ [ZT620]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "os_butane": ["passwd: {users: [{name: ann, uid: many}]}"],  # <- here
        },
    )
]
