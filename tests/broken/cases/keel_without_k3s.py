# expect: matrix: cluster_values (from host data, FILE:values): this host runs no k3s (k3s_role), so it would mean nothing; write it for the servers alone [ZT180]
# expect: matrix: keel_enabled (from host data, FILE:keel): this host runs no k3s (k3s_role), so it would mean nothing; write it for the servers alone [ZT180]
# expect: matrix: tailscale_tag (from host data, FILE:tailscale): this host runs no k3s (k3s_role), so it would mean nothing; write it for the servers alone [ZT180]
from tests.broken.right import RIGHT

vms = [
    (
        "@vm/matrix",
        {
            **RIGHT,
            "keel_enabled": True,  # <- keel
            "keel_poll": "1 hour",
            "tailscale_tag": "tag:lab",  # <- tailscale
            "cluster_values": {"domain": "lan"},  # <- values
        },
    )
]
