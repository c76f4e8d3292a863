"""Where things are in a guest. Pure."""

from __future__ import annotations

DATA = "/var/mnt/data"  # the data disk; /mnt/data is the same
TREE = f"{DATA}/zerotoil"  # what zerotoil keeps there: scripts, units, sinks, logins, ledger
K3S = f"{TREE}/k3s"  # what k3s is given and started by; its own state is in /var/mnt/data/k3s, at /var/lib/rancher
TAILNET = f"{TREE}/tailscale"  # what Tailscale is kept by, and a copy of its state
OS_TREE = f"{TREE}/os"  # what looks after the OS; its own state is on the OS disk, /var/lib/zerotoil/os


def app_folder(name: str) -> str:
    """An app's files and its data."""
    return f"{DATA}/apps/{name}"
