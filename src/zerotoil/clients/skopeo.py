"""skopeo, to sign what was pushed: it copies an image onto itself, and only the signature is new.

Source: skopeo-copy(1) (--sign-by-sigstore-private-key). Debian's skopeo has sigstore taken out; cosign signs as well.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from zerotoil.clients.image_engine import Access, run
from zerotoil.error_codes import Code
from zerotoil.model.image import ImageRef
from zerotoil.render.signature_policy import ANYTHING, registries

_SECONDS = 300


def sign(ref: ImageRef, key: Path, passphrase_file: Path, access: Access, program: str = "skopeo") -> None:
    """Attach a signature to the image behind a tag. Raises LabError with skopeo's words."""
    with tempfile.TemporaryDirectory(prefix="zerotoil-") as folder:
        settings, certificates = Path(folder, "registries.d"), Path(folder, "certificates")
        settings.mkdir()
        certificates.mkdir()
        (settings / "own.yaml").write_text(registries(ref.name))
        anything = Path(folder, "policy.json")
        anything.write_text(ANYTHING)
        own = access.flags(certificates, "--src-")
        line = [program, "--policy", str(anything), "--registries.d", str(settings), "copy", "--preserve-digests", *own]
        line += ["--dest-cert-dir", str(certificates)] if access.ca else []
        line += ["--sign-by-sigstore-private-key", str(key), "--sign-passphrase-file", str(passphrase_file)]
        run([*line, f"docker://{ref}", f"docker://{ref}"], f"{ref} was not signed", Code.IMAGE_PUSH_FAILED, _SECONDS)
