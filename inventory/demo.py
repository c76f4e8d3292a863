"""The embedded lab's inventory: one Docker host on this machine's own NAS, hypervisor and registry (`zerotoil lab up`)."""

import json

from zerotoil.minilab import layout

# The guest trusts the lab's registries: a Butane fragment of one's own, as any lab can add.
_ca = layout.CA_CERT.read_text() if layout.CA_CERT.exists() else ""
_registry_ca = json.dumps(
    {
        "storage": {
            "files": [
                {
                    "path": f"/etc/{engine}/certs.d/{layout.ADDRESS}:{port}/ca.crt",
                    "mode": 0o644,
                    "contents": {"inline": _ca},
                }
                for engine in ("docker", "containers")
                for port in (layout.REGISTRY_PORT, layout.PRIVATE_REGISTRY_PORT)
            ]
        }
    }
)

_prefix = layout.ADDRESS.rsplit(".", 1)[0]

demo = (
    [
        (
            f"@vm/demo{layout.NUMBER + 1}",
            {
                "vm_nics": [{"network": layout.NETWORK, "address": f"{_prefix}.21/24", "reserve": True}],
                "data_size": "2 GiB",
            },
        )
    ],
    {
        "lab_name": "demo",
        "nas_url": f"wss://{layout.ADDRESS}:{layout.NAS_PORT}",
        "nas_user": layout.NAS_USER,
        "nas_api_key": f"file:{layout.NAS_KEY_FILE}",
        "nas_ca": layout.CA_CERT,
        "nas_dataset": f"{layout.ZPOOL}/lab",
        "iscsi_portal": [layout.ADDRESS],
        "iscsi_port": layout.ISCSI_PORT,
        "iscsi_initiators": [f"iqn.2026-01.lab.zerotoil:{layout.NAME}"],
        "iscsi_lun": 1,  # tgt keeps LUN 0 for itself; a TrueNAS starts at 0
        "iscsi_chap_user": "demo",
        "iscsi_chap_secret": f"file:{layout.CHAP_SECRET_FILE}",
        "hypervisor_pool": layout.STORAGE_POOL,
        "data_attach": "network",  # QEMU's own initiator: this machine's kernel may have none
        "vm_memory": "2 GiB",
        "os_stream_url": f"http://{layout.ADDRESS}:{layout.MIRROR_PORT}/streams/",
        "os_disk_size": "10 GiB",
        "os_butane": [_registry_ca],
        "ssh_key": str(layout.SSH_KEY),
        "ssh_authorized_keys": [f"file:{layout.SSH_KEY}.pub"],
        "registry_ca": layout.CA_CERT,
        "watchtower_image": layout.WATCHTOWER_IMAGE,
    },
)
