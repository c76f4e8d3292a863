# expect: matrix: registry_ca (from host data, FILE:here): ['ca.pem'] is not a path; write it in quotes (CA of your registries, PEM, for this machine and Watchtower; a guest's engine trusts it by os_butane) [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "registry_ca": ["ca.pem"],  # <- here
        },
    )
]
