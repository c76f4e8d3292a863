"""The owner's manifests on disk: cluster/*.yaml, and templates filled in with what is declared.

Files of cluster/ itself, and below cluster/all/, are for every cluster of the project; those below cluster/NAME/ for the
cluster of that name alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
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


@dataclass
class Manifests:
    """The objects of a host's cluster as the owner wrote them; the files that cannot be read; what is wrong in the others.

    `files`: how many there are. Where there is none, the folder may just not be here today.
    """

    objects: list[Object] = field(default_factory=list)
    problems: list[LabError] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    files: int = 0


def read(spec: HostSpec, root: Path) -> Manifests:
    """All manifests of a host's cluster."""
    result = Manifests()
    try:
        paths = list(_paths(root, spec.k3s.cluster))
    except LabError as error:
        return Manifests(problems=[error])
    for path in paths:
        try:
            text = _content(path, root, values(spec))
        except LabError as error:
            result.problems.append(error)
            continue
        found, wrong = read_text(text, str(path.relative_to(root)))
        result.objects += found
        result.findings += wrong
    result.files = len(paths)
    return result


def values(spec: HostSpec) -> dict[str, Any]:
    """What a template may use."""
    return {"lab": spec.lab.name, "cluster": spec.k3s.cluster, "host": spec.name, **spec.cluster.values}


def _paths(root: Path, cluster: str) -> Iterator[Path]:
    """Every manifest of one cluster. Raises LabError for what would be passed over without a word, and for too many."""
    folder = root / FOLDER
    found = [path for path in _inside(folder, root, deep=False) if _is_manifest(path, folder)]
    for name in dict.fromkeys((ALL, cluster)):
        found += [path for path in _inside(folder / name, root, deep=True) if _is_manifest(path, folder)]
    if len(found) > _MOST:
        raise _bad(folder, root, f"holds {len(found)} manifests, at most {_MOST} are taken", "bring charts as HelmChart objects")
    yield from sorted(found)


def _is_manifest(path: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return not hidden and path.name.removesuffix(_TEMPLATE).endswith((".yaml", ".yml"))


def _inside(folder: Path, root: Path, deep: bool) -> Iterator[Path]:
    """The files of a folder, and with `deep` of those in it. Raises LabError where a part of it cannot be seen."""
    if folder.is_symlink() and not folder.exists():
        raise _bad(folder, root, f"is a link to {folder.readlink()}, which is not there", "bring it back, or take the link away")
    if not folder.exists():
        return
    if not folder.is_dir():
        raise _bad(folder, root, "is no folder", "manifests are files in it")

    def unreadable(error: OSError) -> None:
        raise _bad(Path(error.filename), root, f"cannot be read ({error.strerror})", "make it readable by you") from error

    for place, folders, names in os.walk(folder, onerror=unreadable):
        here = Path(place)
        if not deep:
            folders.clear()
        for path in (here / name for name in (*folders, *names)):
            if path.is_symlink() and (_is_manifest(path, folder) or (deep and path.is_dir()) or not path.exists()):
                raise _bad(path, root, "is a link", "put the file itself there")
        yield from (here / name for name in names)


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
