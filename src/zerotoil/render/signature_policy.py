"""Signatures of OS images on this machine, where they are made: what skopeo is told. A host's own policy is written by os.sh.

Pure. Sources: containers-policy.json(5), containers-registries.d(5), cosign's SIGNATURE_SPEC.md.
"""

from __future__ import annotations

import json

ANYTHING = json.dumps({"default": [{"type": "insecureAcceptAnything"}]})  # this machine reads only what it pushed itself


def registries(repository: str) -> str:
    """A file of registries.d: signatures of `repository` are attached to it on the registry, as cosign does."""
    return f"docker:\n  {repository}:\n    use-sigstore-attachments: true\n"
