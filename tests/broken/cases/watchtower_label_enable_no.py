# expect: matrix: watchtower_label_enable (from host data, FILE:here): 'no' is neither True nor False; write one of them without quotes (update only containers labelled com.centurylinklabs.watchtower.enable=true) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "watchtower_label_enable": "no",  # <- here
        },
    )
]
