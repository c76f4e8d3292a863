# expect: worker2: vm_nics (from host data, FILE:here): address 10.0.0.10 is already worker1's; every host needs its own [ZT105]
# expect: worker3: vm_nics (from host data, FILE:here): address 10.0.0.10 is already worker1's; every host needs its own [ZT105]
"""Three workers that differ in their number only."""

GATEWAY = "10.0.0.1"

SHARED = {
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
    "data_size": "40 GiB",
}


def worker(number):
    card = {"bridge": "br0", "address": f"10.0.0.10/24", "gateway": GATEWAY}
    return (f"@vm/worker{number}", {**SHARED, "vm_nics": [card]})  # <- here


workers = [worker(number) for number in (1, 2, 3)]
