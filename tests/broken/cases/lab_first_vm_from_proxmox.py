# expect: first: cores (from host data, FILE:cores): unknown key; docs/reference/keys.md lists all [ZT101]
# expect: first: memory (from host data, FILE:memory): unknown key; did you mean vm_memory? [ZT101]
# expect: first: net0 (from host data, FILE:net): unknown key; docs/reference/keys.md lists all [ZT101]
# My first VM.
hosts = [
    (
        "@vm/first",
        {
            "lab_name": "home",
            "nas_url": "wss://nas.lan",
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
            "cores": 2,  # <- cores
            "memory": 4096,  # <- memory
            "net0": "virtio,bridge=vmbr0",  # <- net
            "data_size": "50 GiB",
        },
    ),
]
