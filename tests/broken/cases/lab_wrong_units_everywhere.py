# expect: first: vm_memory (from host data, FILE:memory): 2048 has no unit; write for instance "2048 MiB" [ZT103]
# expect: first: vm_boot_timeout (from host data, FILE:timeout): '10min' is not a duration; write for instance "10 minutes" (units: seconds, minutes, hours, days, weeks) [ZT103]
# expect: first: os_disk_size (from host data, FILE:disk): 20 has no unit; write for instance "20 GiB" [ZT103]
# expect: first: data_size (from host data, FILE:size): '50G' is not a size; write for instance "50 GiB" (units: KiB, MiB, GiB, TiB, kB, KB, MB, GB, TB) [ZT103]
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
            "data_size": "50G",  # <- size
            "os_disk_size": 20,  # <- disk
            "vm_memory": "2048",  # <- memory
            "vm_boot_timeout": "10min",  # <- timeout
        },
    ),
]
