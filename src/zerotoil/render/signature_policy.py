"""What makes a host refuse an OS image that its owner did not sign: policy.json, and where signatures lie.

Pure. Sources: containers-policy.json(5), containers-registries.d(5), cosign's SIGNATURE_SPEC.md.
"""

from __future__ import annotations

import json

_ANYTHING = [{"type": "insecureAcceptAnything"}]
ANYTHING = json.dumps({"default": _ANYTHING})  # for this machine, which reads only what it pushed itself
_LOCAL = ("atomic", "containers-storage", "dir", "docker-archive", "docker-daemon", "oci", "oci-archive", "sif", "tarball")


def policy(repository: str, key: str) -> str:
    """policy.json: from `repository` (REGISTRY/NAME) only what the public key in the file `key` has signed; all else as before.

    The default is "reject": rpm-ostree and bootc take no `ostree-image-signed` where it accepts anything. What apps pull is
    allowed by name of the transport. The identity is the repository's, for cosign signs no tag.
    """
    signed = {"type": "sigstoreSigned", "keyPath": key, "signedIdentity": {"type": "matchRepository"}}
    transports: dict[str, object] = {"docker": {"": _ANYTHING, repository: [signed]}}
    transports |= {name: {"": _ANYTHING} for name in _LOCAL}
    return json.dumps({"default": [{"type": "reject"}], "transports": transports}, indent=2) + "\n"


def registries(repository: str) -> str:
    """A file of registries.d: signatures of `repository` are attached to it on the registry, as cosign does."""
    return f"docker:\n  {repository}:\n    use-sigstore-attachments: true\n"
