"""A complete example of a real lab: one TrueNAS, one hypervisor, a Docker host and a k3s host.

Copy it, change names and addresses, then:  pyinfra inventory/lab.py deploys/full.py
Every key is described in docs/reference/keys.md. Keys that all hosts share are in the tuple's second half; what a group
shares is in group_data/GROUP.py and wins over that; a host's own come with the host and win over both. `--data key=value`
wins over everything.
"""

docker = [
    (
        "@vm/docker1",
        {
            "vm_memory": "4 GiB",
            "vm_cpus": 2,
            "vm_nics": [
                {"bridge": "br0", "address": "192.168.1.21/24", "gateway": "192.168.1.1", "dns": ["192.168.1.1"]},
            ],
            "vm_usb": ["10c4:ea60"],  # a Zigbee stick, as lsusb prints it
            "data_size": "200 GiB",
        },
    ),
]

k3s = [
    (
        "@vm/k3s1",
        {
            "vm_memory": "8 GiB",
            "vm_cpus": 4,
            "vm_nics": [
                {"bridge": "br0", "address": "192.168.1.31/24", "gateway": "192.168.1.1", "dns": ["192.168.1.1"]},
            ],
            "data_size": "100 GiB",
            # One server: SQLite. Three servers, or agents, are more hosts with the same k3s_cluster and a k3s_token.
            "k3s_config": {"disable": ["traefik"]},
        },
    ),
]

all = (
    ["@vm/docker1", "@vm/k3s1"],
    {
        "lab_name": "home",
        # The NAS. The API key belongs to a user with the roles listed in docs/truenas.md; it never travels in plain text.
        "nas_url": "wss://nas.lan",
        "nas_user": "zerotoil",
        "nas_api_key": "file:~/.config/zerotoil/nas-api-key",
        "nas_ca": "~/.config/zerotoil/nas-ca.pem",
        "nas_dataset": "tank/lab",
        "iscsi_portal": ["192.168.1.10"],
        "iscsi_initiators": ["iqn.1993-08.org.debian:01:hv1"],  # cat /etc/iscsi/initiatorname.iscsi on the hypervisor
        "iscsi_chap_user": "hv1",
        "iscsi_chap_secret": "file:~/.config/zerotoil/chap-secret",
        # The hypervisor
        "hypervisor_uri": "qemu+ssh://root@hv1.lan/system",
        "hypervisor_pool": "default",
        # The guests
        "os_stream": "stable",
        "ssh_authorized_keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEexampleexampleexampleexampleexampleexample you@laptop"],
    },
)
