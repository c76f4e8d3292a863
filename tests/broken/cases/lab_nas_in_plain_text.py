# expect: docker1: nas_url (from group 'all', FILE:here): http://nas.lan is plain text: TrueNAS revokes a key sent that way; write wss://nas.lan [ZT103]
# expect: k3s1: nas_url (from group 'all', FILE:here): http://nas.lan is plain text: TrueNAS revokes a key sent that way; write wss://nas.lan [ZT103]
"""A Docker host and a k3s host at home."""

docker = [
    (
        "@vm/docker1",
        {
            "vm_memory": "4 GiB",
            "vm_cpus": 2,
            "vm_nics": [
                {"bridge": "br0", "address": "192.168.1.21/24", "gateway": "192.168.1.1", "dns": ["192.168.1.1"]},
            ],
            "vm_usb": ["10c4:ea60"],
            "data_size": "200 GiB",
        },
    ),
]

cluster = [
    (
        "@vm/k3s1",
        {
            "vm_memory": "8 GiB",
            "vm_cpus": 4,
            "vm_nics": [
                {"bridge": "br0", "address": "192.168.1.31/24", "gateway": "192.168.1.1", "dns": ["192.168.1.1"]},
            ],
            "data_size": "100 GiB",
        },
    ),
]

all = (
    ["@vm/docker1", "@vm/k3s1"],
    {
        "lab_name": "home",
        "nas_url": "http://nas.lan",  # <- here
        "nas_user": "zerotoil",
        "nas_api_key": "file:~/.config/zerotoil/nas-api-key",
        "nas_ca": "~/.config/zerotoil/nas-ca.pem",
        "nas_dataset": "tank/lab",
        "iscsi_portal": ["192.168.1.10"],
        "iscsi_initiators": ["iqn.1993-08.org.debian:01:hv1"],
        "iscsi_chap_user": "hv1",
        "iscsi_chap_secret": "file:~/.config/zerotoil/chap-secret",
        "hypervisor_uri": "qemu+ssh://root@hv1.lan/system",
        "hypervisor_pool": "default",
        "ssh_authorized_keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEexample you@laptop"],
    },
)
