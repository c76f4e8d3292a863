"""Values of a host that is right, so that a case shows only what it breaks."""

RIGHT = {
    "lab_name": "home",
    "nas_url": "wss://nas.lan",
    "nas_user": "zerotoil",
    "nas_api_key": "file:~/.config/zerotoil/nas-api-key",
    "nas_dataset": "tank/lab",
    "iscsi_portal": ["192.0.2.10"],
    "iscsi_initiators": ["iqn.1993-08.org.debian:01:hv1"],
    "data_size": "20 GiB",
    "ssh_authorized_keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEexample you@laptop"],
}
