# expect: matrix: hypervisor_uri (from host data, FILE:here): 'https://hv1/system' is not a libvirt address; write qemu:///system or qemu+ssh://root@hv1/system [ZT103]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "hypervisor_uri": "https://hv1/system",  # <- here
        },
    )
]
