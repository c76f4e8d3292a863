"""The container registry (Debian's docker-registry, TLS) and the stand-in for Watchtower's image in it."""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path

from zerotoil.minilab import daemons, endpoints, layout
from zerotoil.minilab.commands import run
from zerotoil.minilab.daemons import Daemon

CONFIG = layout.REGISTRY_FILES / "config.json"  # JSON is YAML
PUSHED = layout.REGISTRY_FILES / "pushed-from"  # which build of the stand-in is in the registry
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def config() -> dict[str, object]:
    """docker-registry's configuration."""
    return {
        "version": "0.1",
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(layout.REGISTRY_FILES / "files")}, "delete": {"enabled": True}},
        "http": {
            "addr": f"{layout.ADDRESS}:{layout.REGISTRY_PORT}",
            "tls": {"certificate": str(layout.SERVER_CERT), "key": str(layout.SERVER_KEY)},
        },
    }


def daemon() -> Daemon:
    """The registry's process; restarted when its configuration or certificate changes."""
    certificate = hashlib.sha256(layout.SERVER_CERT.read_bytes()).hexdigest() if layout.SERVER_CERT.exists() else ""
    return Daemon(
        "registry",
        ["docker-registry", "serve", str(CONFIG)],
        lambda: endpoints.status(layout.REGISTRY_PORT, "/v2/") == 200,
        port=layout.REGISTRY_PORT,
        settings={"config": config(), "certificate": certificate},
    )


def up() -> str:
    """Start the registry."""
    CONFIG.write_text(json.dumps(config(), indent=1))
    return daemons.start(daemon())


def is_up() -> bool:
    """Alive, ours, answering with the lab's certificate."""
    return daemons.is_up(daemon())


def down() -> str:
    """Stop the registry; its images stay."""
    return "stopped" if daemons.stop(daemon()) else "was not running"


def has_watchtower() -> bool:
    """Whether the registry holds the tag of the stand-in."""
    name, _, tag = layout.WATCHTOWER_IMAGE.partition("/")[2].rpartition(":")
    return endpoints.status(layout.REGISTRY_PORT, f"/v2/{name}/manifests/{tag}", "HEAD", accept=MANIFEST) == 200


def push_watchtower() -> str:
    """Build the stand-in for Watchtower's image and push it, unless this very build is there already."""
    from zerotoil.minilab.tools import tool
    from zerotoil.minilab.watchtower_image import oci_layout

    build = str(tool("watchtower-standin"))  # the cache names it by its content
    if PUSHED.exists() and PUSHED.read_text() == build and has_watchtower():
        return "already in the registry"
    tag = layout.WATCHTOWER_IMAGE.rpartition(":")[2]
    with tempfile.TemporaryDirectory(prefix="watchtower-") as folder:
        image, certificates = Path(folder) / "image", Path(folder) / "certificates"
        certificates.mkdir()
        (certificates / "ca.crt").write_bytes(layout.CA_CERT.read_bytes())
        oci_layout(image, tag)
        source, target = f"oci:{image}:{tag}", f"docker://{layout.WATCHTOWER_IMAGE}"
        # The image was made here a moment ago: there is no signature that a policy of the user's could ask for.
        run("skopeo", "--insecure-policy", "copy", "--quiet", "--dest-cert-dir", str(certificates), source, target, timeout=120)
    PUSHED.write_text(build)
    return "pushed"
