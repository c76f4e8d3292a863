# expect: first: ssh_authorized_keys (from host data, FILE:here): holds what is no public key (-----BEGIN OPENSSH P…): write "file:~/.ssh/id_ed25519.pub" or the line in it, never the private key [ZT714]
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
            "ssh_authorized_keys": ["-----BEGIN OPENSSH PRIVATE KEY-----"],  # <- here
            "data_size": "50 GiB",
        },
    ),
]
