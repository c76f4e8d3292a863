"""The owner's manifests on disk: cluster/*.yaml, and templates filled in with what is declared.

Files of cluster/ itself, and below cluster/all/, are for every cluster of the project; those below cluster/NAME/ for the
cluster of that name alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers.templates import ENVIRONMENT, filling
from zerotoil.model.compose.findings import Finding
from zerotoil.model.kubernetes.manifests import read as read_text
from zerotoil.model.kubernetes.objects import Object
from zerotoil.model.spec import HostSpec

FOLDER = "cluster"
ALL = "all"
_TEMPLATE = ".j2"
_LARGEST = 4 * 1024**2  # bytes of one file; the definitions of a large operator are about one million
_MOST = 500  # files


def read(spec: HostSpec, root: Path) -> tuple[list[Object], list[LabError], list[Finding]]:
    """The objects of a host's cluster as the owner wrote them; the files that cannot be read; what is wrong in the others."""
    objects: list[Object] = []
    problems: list[LabError] = []
    findings: list[Finding] = []
    try:
        paths = list(_paths(root, spec.k3s.cluster))
    except LabError as error:
        return [], [error], []
    for path in paths:
        try:
            text = _content(path, root, values(spec))
        except LabError as error:
            problems.append(error)
            continue
        found, wrong = read_text(text, str(path.relative_to(root)))
        objects += found
        findings += wrong
    return objects, problems, findings


def values(spec: HostSpec) -> dict[str, Any]:
    """What a template may use."""
    return {"lab": spec.lab.name, "cluster": spec.k3s.cluster, "host": spec.name, **spec.cluster.values}


def _paths(root: Path, cluster: str) -> Iterator[Path]:
    """Every manifest of one cluster. Raises LabError for links and for too many."""
    folder = root / FOLDER
    inside = [path for name in (ALL, cluster) for path in (folder / name).rglob("*")]
    found = []
    for path in sorted({*folder.glob("*"), *inside}):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if hidden or path.name.endswith("~") or not path.name.removesuffix(_TEMPLATE).endswith((".yaml", ".yml")):
            continue
        if path.is_symlink():
            raise _bad(path, root, "is a link", "put the file itself there")
        if path.is_file():
            found.append(path)
    if len(found) > _MOST:
        raise _bad(folder, root, f"holds {len(found)} manifests, at most {_MOST} are taken", "bring charts as HelmChart objects")
    yield from found


def _content(path: Path, root: Path, given: Mapping[str, Any]) -> str:
    if path.stat().st_size > _LARGEST:
        raise _bad(path, root, f"has {path.stat().st_size} bytes, at most {_LARGEST} are taken", "split it")
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError):
        raise _bad(path, root, "cannot be read", "write it as UTF-8, readable by you") from None
    if not path.name.endswith(_TEMPLATE):
        return text
    with filling(str(path.relative_to(root)), 'name the value in cluster_values = {"NAME": …}', Code.MANIFEST_FILE):
        return ENVIRONMENT.from_string(text).render(given)


def _bad(path: Path, root: Path, what: str, remedy: str) -> LabError:
    return LabError(f"{path.relative_to(root)} {what}", remedy, code=Code.MANIFEST_FILE)
