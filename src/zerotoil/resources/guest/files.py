"""Files of ours in a guest: what is declared, what is there, and the script that writes them.

Files belong to a tree (/var/mnt/data/zerotoil, or an app's folder), which keeps a manifest of what was written in
`.zerotoil/files`: lines of mode, sha256 and path; `.zerotoil/secret` has the paths of those that hold a secret. A file that
is not in the manifest was made by somebody else and is never overwritten; the rest of an app's folder is its data and is
never looked at. A file of ours that holds something else than we wrote (an app may write into it) is copied to
`.zerotoil/kept` before it is replaced or taken away.
"""

from __future__ import annotations

import base64
import hashlib
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zerotoil.model.places import DATA
from zerotoil.model.secret import MASK
from zerotoil.resources.resource import Action, Change, Risk


@dataclass(frozen=True)
class GuestFile:
    """One file: absolute path, mode, content. A secret one is never shown."""

    path: str
    mode: int
    content: str | bytes
    secret: bool = False

    @property
    def data(self) -> bytes:
        """The content as bytes."""
        return self.content.encode() if isinstance(self.content, str) else self.content

    @property
    def sha256(self) -> str:
        """Hash of the content."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def shown(self) -> str:
        """The content as a person may see it."""
        if self.secret:
            return MASK
        return self.content if isinstance(self.content, str) else f"{len(self.content)} bytes"


@dataclass(frozen=True)
class Found:
    """What the guest has of one tree. `written`: path -> (mode, sha256) of the manifest; `there`: of the files themselves;
    `secret`: what holds a secret there, whatever is declared today.
    """

    written: Mapping[str, tuple[int, str]]
    there: Mapping[str, tuple[int, str]]
    secret: frozenset[str] = frozenset()


def found(facts: Mapping[str, Any], root: str) -> Found | None:
    """One tree as observed; None when nothing of ours was ever written there. `root` is absolute."""
    inside = root.removeprefix(f"{DATA}/")
    manifest = list(notes(facts, root, "files"))
    if not manifest:
        return None
    sums = _by_path(facts.get("sums", ""))
    modes = {path: mode for mode, _, path in (line.partition(" ") for line in facts.get("modes", "").splitlines())}
    written, there = {}, {}
    for line in manifest:
        mode, sha256, path = line.split(" ", 2)
        written[f"{root}/{path}"] = (int(mode, 8), sha256)
        relative = f"{inside}/{path}"
        if relative in sums and relative in modes:
            there[f"{root}/{path}"] = (int(modes[relative], 8), sums[relative])
    return Found(written, there, frozenset(f"{root}/{path}" for path in notes(facts, root, "secret")))


def notes(facts: Mapping[str, Any], root: str, name: str) -> Iterable[str]:
    """The lines of a tree's `.zerotoil/NAME`."""
    start = f"{root.removeprefix(f'{DATA}/')}/.zerotoil/{name}:"
    return [line.removeprefix(start) for line in facts.get("notes", "").splitlines() if line.startswith(start)]


def _by_path(sums: str) -> dict[str, str]:
    """Lines of sha256sum: path -> hash."""
    return {path: sha256 for sha256, _, path in (line.partition("  ") for line in sums.splitlines())}


def differing(have: Found | None, want: Iterable[GuestFile]) -> list[GuestFile]:
    """The declared files that are not there as they should be."""
    there = have.there if have else {}
    return [file for file in want if there.get(file.path) != (file.mode, file.sha256)]


def showable(have: Found | None, want: Iterable[GuestFile]) -> list[str]:
    """The paths of differing files whose text of today may be shown beside the new one."""
    return [file.path for file in differing(have, want) if not file.secret and file.path not in have.secret] if have else []


def changes(
    resource: str,
    root: str,
    have: Found | None,
    want: Sequence[GuestFile],
    texts: Mapping[str, str],
    risk: Callable[[str], Risk] = lambda _path: Risk.SAFE,
) -> list[Change]:
    """The changes of a tree. `texts`: what differing files hold now, as far as it was read; `risk` of a change by its path."""
    result = []
    for file in differing(have, want):
        name = f"file {file.path.removeprefix(f'{root}/')}"
        there = have.there.get(file.path) if have else None
        if not there:
            result.append(Change(resource, Action.UPDATE if have else Action.CREATE, name, None, file.shown))
        elif there[1] != file.sha256:
            before = MASK if (have and file.path in have.secret) or file.secret else texts.get(file.path, "(another content)")
            after = f"{file.shown} (new)" if file.secret else file.shown
            result.append(Change(resource, Action.UPDATE, name, before, after, risk(file.path)))
        else:
            result.append(Change(resource, Action.UPDATE, f"{name} mode", f"{there[0]:04o}", f"{file.mode:04o}"))
    declared = {file.path for file in want}
    for path in sorted(have.written if have else ()):
        if path not in declared and path in have.there:  # type: ignore[union-attr]
            result.append(Change(resource, Action.UPDATE, f"file {path.removeprefix(f'{root}/')}", "there", "removed"))
    return result


def read_script(paths: Iterable[str]) -> str:
    """A script that prints these files, each as a line of path, a tab and base64; unreadable ones are left out."""
    lines = [f"printf '%s\\t' {shlex.quote(path)}; base64 -w0 {shlex.quote(path)}; echo" for path in paths]
    return "\n".join(lines) + "\n"


def read_answer(answer: str) -> dict[str, str]:
    """What `read_script` printed: path -> text; what is no text is left out."""
    texts = {}
    for line in answer.splitlines():
        path, _, content = line.partition("\t")
        try:
            texts[path] = base64.b64decode(content).decode()
        except ValueError:
            continue
    return texts


def write_script(root: str, have: Found | None, want: Sequence[GuestFile]) -> str:
    """A script that writes what differs, takes away what is declared no more, and notes the manifest last.

    The contents travel inside it on stdin. A file that is in no manifest and holds something else stops it.
    """
    lines = [_HEAD.format(root=shlex.quote(root), data=DATA)]
    ours = set(have.written) if have else set()
    gone = sorted(ours - {file.path for file in want})
    replaced = [file.path for file in differing(have, want)]
    lines += [f"keep_copy {shlex.quote(path)}" for path in [*replaced, *gone] if have and _changed_since(have, path)]
    for file in differing(have, want):
        path = shlex.quote(file.path)
        if file.path not in ours:
            lines.append(f"not_foreign {path} {file.sha256}")
        lines.append(f"install_file {path} {file.mode:04o} <<'END'\n{_wrapped(file.data)}END")
    lines += [f"rm -f {shlex.quote(path)}" for path in gone]
    secret = "".join(f"{f.path.removeprefix(f'{root}/')}\n" for f in want if f.secret)
    lines.insert(1, f"cat >>{root}/.zerotoil/secret <<'END'\n{secret}END")  # a run that is cut off forgets none
    lines.append(f"cat >{root}/.zerotoil/secret <<'END'\n{secret}END")
    manifest = "".join(f"{f.mode:04o} {f.sha256} {f.path.removeprefix(f'{root}/')}\n" for f in want)
    lines.append(f"cat >{root}/.zerotoil/files.new <<'END'\n{manifest}END\nmv {root}/.zerotoil/files.new {root}/.zerotoil/files")
    return "\n".join(lines) + "\n"


def _changed_since(have: Found, path: str) -> bool:
    """Does the file hold something else than what we wrote?"""
    return path in have.written and path in have.there and have.there[path][1] != have.written[path][1]


def _wrapped(data: bytes) -> str:
    return base64.encodebytes(data).decode()


_HEAD = """set -eu
umask 077
mountpoint -q {data} || {{ echo '{data} is not mounted: nothing is written' >&2; exit 1; }}
(umask 022 && mkdir -p {root})
chmod 0700 {root}
mkdir -p {root}/.zerotoil
not_foreign() {{
  [ -e "$1" ] || return 0
  [ "$(sha256sum <"$1" | cut -d' ' -f1)" = "$2" ] || {{ echo "$1 is there and not ours: move it away" >&2; exit 1; }}
}}
keep_copy() {{
  kept={root}/.zerotoil/kept"${{1#{root}}}"
  mkdir -p "$(dirname "$kept")"
  cp --archive --backup=numbered "$1" "$kept"
}}
install_file() {{
  (umask 022 && mkdir -p "$(dirname "$1")") # a container mounts it as some user; the tree itself lets only root in
  base64 -d >"$1.zerotoil-new"
  chmod "$2" "$1.zerotoil-new"
  mv "$1.zerotoil-new" "$1"
}}"""
