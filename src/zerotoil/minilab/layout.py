"""Where the embedded lab lives: addresses, names and folders. Nothing here does I/O."""

from __future__ import annotations

import os
from pathlib import Path

NUMBER = int(os.environ.get("ZEROTOIL_LAB_NUMBER", "0"))  # a second lab (1 to 9) can live beside the first; tests use it
NAME = f"zerotoil-lab{NUMBER or ''}"
STATE = Path(os.environ.get("ZEROTOIL_LAB_STATE", f"/var/lib/{NAME}"))
CACHE = Path(os.environ.get("ZEROTOIL_CACHE", "~/.cache/zerotoil")).expanduser()

NETWORK = NAME  # libvirt network
BRIDGE = f"ztlab{NUMBER}"
_PREFIX = f"192.168.{177 + NUMBER}"
ADDRESS = f"{_PREFIX}.1"  # the bridge: NAS, registry and mirror listen here
SUBNET = f"{_PREFIX}.0/24"
DHCP_RANGE = (f"{_PREFIX}.100", f"{_PREFIX}.199")
STORAGE_POOL = NAME  # libvirt storage pool (dir)
STORAGE_POOL_PATH = STATE / "pool"
LIBVIRT_URI = "qemu:///system"

LOG = STATE / "log"  # one file per daemon
RUN = STATE / "run"  # one record per daemon that the lab started

NAS_PORT = 8443  # TrueNAS API over TLS: wss://192.168.177.1:8443
ISCSI_PORT = 3260
ISCSI_CONTROL_PORT = 177 + NUMBER  # of the lab's own tgtd (tgtadm -C 177); the system's tgtd has 0
ZPOOL = f"tank{NUMBER or ''}"
ZPOOL_FILE = STATE / "nas" / "tank.img"  # sparse
ZPOOL_BYTES = 20 << 30
ZPOOL_MOUNT = STATE / "nas" / ZPOOL
NAS_USER = "zerotoil"
NAS_VERSIONS = ("24.10", "25.04", "25.10", "26")
NAS_VERSION = "25.10"
NAS_KEY_FILE = STATE / "nas" / "api-key"  # mode 0600
NAS_CALLS_LOG = STATE / "nas" / "calls.jsonl"  # every call that the simulator answered
CHAP_SECRET_FILE = STATE / "nas" / "chap-secret"  # 16 characters, mode 0600

REGISTRY_PORT = 5443  # container registry over TLS
PRIVATE_REGISTRY_PORT = 5444  # the same with a login
REGISTRY_USER = "lab"
REGISTRY_PASSWORD_FILE = STATE / "private-registry" / "password"  # mode 0600
MIRROR_PORT = 8088  # plain HTTP: OS image stream metadata and images (their checksums are verified)
MIRROR_FILES = STATE / "mirror"
SIGNAL_PORT = 8089  # plain HTTP: the stand-in for signal-cli-rest-api
SIGNAL_MESSAGES = STATE / "signal" / "messages.jsonl"  # mode 0600: every message that it took

CA_CERT = STATE / "tls" / "ca.crt"  # signs the certificate of the NAS and the registry
SERVER_CERT = STATE / "tls" / "server.crt"
SERVER_KEY = STATE / "tls" / "server.key"  # mode 0600
SSH_KEY = STATE / "ssh" / "id_ed25519"  # opens the demo's guests
WATCHTOWER_IMAGE = f"{ADDRESS}:{REGISTRY_PORT}/nickfedor/watchtower:1.21.0"  # a named stand-in
