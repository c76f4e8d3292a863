# expect: matrix: vm_xml (from host data, FILE:here): libvirt's schema refuses it (Element domain has extra content: colour): mend vm_xml; https://libvirt.org/format.html [ZT120]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "vm_xml": "<colour>blue</colour>",  # <- here
        },
    )
]
