# expect: matrix: vm_xml (from host data, FILE:here): may not hold <commandline> of another namespace: raw QEMU arguments escape libvirt's labelling and could open a disk; use libvirt's own elements [ZT121]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_xml": "<domain xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'><qemu:commandline/></domain>",  # <- here
        },
    )
]
