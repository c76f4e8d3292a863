# expect: a-host-with-a-long-name: data_serial: 'a-host-with-a-long-name-data' is 28 bytes, virtio keeps 20; write a shorter data_serial [ZT104]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/a-host-with-a-long-name",
        {
            **RIGHT,
            "vm_cpus": 2,  # <- here
        },
    )
]
