"""Releases of the stand-in for k3s, laid out as upstream's are: VERSION/k3s with its sha256sum-amd64.txt."""

from __future__ import annotations

import hashlib
from importlib import resources
from pathlib import Path

VERSIONS = ("v1.36.3+k3s1", "v1.36.4+k3s1")


def releases(folder: Path, versions: tuple[str, ...] = VERSIONS) -> None:
    """Writes them below `folder`; what is there is replaced in one step."""
    text = resources.files("zerotoil.minilab").joinpath("k3s-standin.sh").read_text()
    for version in versions:
        release = text.replace("@VERSION@", version)
        _put(folder / version / "k3s", release)
        _put(folder / version / "sha256sum-amd64.txt", f"{hashlib.sha256(release.encode()).hexdigest()}  k3s\n")


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(text)
    fresh.replace(path)
