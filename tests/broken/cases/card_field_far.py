# expect: matrix: vm_nics (from host data, FILE:here): [0].vlan: unknown field; the fields are network, bridge, mac, address, reserve, gateway, dns [ZT101]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_nics": [{"bridge": "br0", "vlan": 5}],  # <- here
        },
    )
]
