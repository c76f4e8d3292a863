"""What a Containerfile and its overlay may not hold, so that it breaks here and not on a host. Pure.

Sources: bootc's guidance (filesystem layout, building images), Fedora CoreOS tracker #2213 (rpm-ostree in builds) and
coreos/rpm-ostree #5632 (`ostree container commit`), Containerfile(5).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.os_image import CONTAINERFILE

_WORD = re.compile(r"\s*(\w+)\s+(.*)", re.S)
_QUOTED = re.compile(r"'[^']*'|\"(?:\\.|[^\"\\])*\"|\\.", re.S)
_BREAKING = (
    (r"\brpm-ostree\s+(install|uninstall|override)\b", "rpm-ostree {} fails in a build: its base was not booted", "use dnf"),
    (r"\bostree\s+container\s+commit\b", "ostree container commit fails on today's bases", "end with RUN bootc container lint"),
)
_K3S_BINARY = re.compile(r"get\.k3s\.io|INSTALL_K3S_BIN_DIR=/usr(?!/local)|/usr/(s?bin|libexec)/k3s(?=[\s;&|\"']|$)")


@dataclass(frozen=True)
class Instruction:
    """One instruction: the line on which it begins, its word in capitals, and the rest, its lines joined."""

    line: int
    word: str
    rest: str


@dataclass
class Stage:
    """One stage: its name (its number where it has none), what it is built on, and its instructions."""

    name: str
    base: str
    line: int
    instructions: list[Instruction] = field(default_factory=list)


def instructions(text: str) -> Iterator[Instruction]:
    """The instructions of a Containerfile. Whole lines of comment are left out, also between continued lines."""
    first, parts = 0, list[str]()
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#") or (not line.strip() and not parts):
            continue
        first = first if parts else number
        parts.append(line.removesuffix("\\"))
        if not line.endswith("\\"):
            yield _instruction(first, " ".join(parts))
            parts = []
    if parts:
        yield _instruction(first, " ".join(parts))


def _instruction(line: int, text: str) -> Instruction:
    found = _WORD.fullmatch(text)
    return Instruction(line, found[1].upper(), found[2].strip()) if found else Instruction(line, text.strip().upper(), "")


def stages(text: str) -> list[Stage]:
    """The stages in their order."""
    found: list[Stage] = []
    for one in instructions(text):
        if one.word == "FROM":
            words = [word for word in one.rest.split() if not word.startswith("--")]
            named = len(words) > 2 and words[1].upper() == "AS"
            found.append(Stage(words[2] if named else str(len(found)), words[0] if words else "", one.line))
        elif found:
            found[-1].instructions.append(one)
    return found


def containerfile_problems(text: str) -> list[LabError]:
    """Everything that is wrong with a Containerfile, in its order."""
    found = sorted({*_lines(text), *_stages(text)})
    return [
        LabError(f"{CONTAINERFILE} line {line}: {what}", remedy, code=Code.CONTAINERFILE_RULE) for line, what, remedy in found
    ]


_Found = Iterator[tuple[int, str, str]]


def _lines(text: str) -> _Found:
    for one in instructions(text):
        if re.search(r"(^|\s)#", _QUOTED.sub("q", one.rest)):
            yield one.line, f"a comment behind {one.word} is a part of it", "give the comment a line of its own"
        for pattern, what, remedy in _BREAKING:
            if broken := re.search(pattern, one.rest):
                yield one.line, what.format(broken[1] if broken.groups() else ""), remedy
        if one.word == "RUN" and _K3S_BINARY.search(one.rest):
            what = "k3s itself comes into /usr, which is read-only: the upgrade controller could not replace it"
            yield one.line, what, "install k3s-selinux alone; zerotoil puts the binary at /usr/local/bin"
        if one.word in ("COPY", "ADD"):
            for told in _destination(one):
                yield one.line, *told


def _destination(one: Instruction) -> Iterator[tuple[str, str]]:
    words = [word for word in one.rest.split() if not word.startswith("--")]
    target = words[-1].strip("\"'[],") if words else ""
    if target.startswith("/") and target.strip("/") and (told := why_not_kept(target.strip("/") + "/x")):
        yield f"{one.word} to {target}: {told[0]}", told[1]


def _stages(text: str) -> _Found:
    arguments = {one.rest.partition("=")[0] for one in instructions(text) if one.word == "ARG"}
    known: list[str] = []
    for stage in stages(text):
        variable = re.fullmatch(r"\$\{?(\w+)\}?", stage.base)
        pinned = stage.base in ("scratch", *known) or "@sha256:" in stage.base
        if variable and (variable[1] != "BASE" or "BASE" not in arguments):
            yield stage.line, f"FROM {stage.base}: nothing says what that is", "write ARG BASE before it, for base.lock"
        elif not variable and not pinned:
            yield stage.line, f"FROM {stage.base} moves by itself", "write FROM ${BASE}, or add its @sha256:…"
        known.append(stage.name)
        ran = [one.rest for one in stage.instructions if one.word == "RUN"]
        if any(re.search(r"\bdnf\b", rest) for rest in ran) and not re.search(r"\bbootc\s+container\s+lint\b", (ran or [""])[-1]):
            yield stage.line, f"stage {stage.name} is not checked", "end it with RUN bootc container lint"


def overlay_problems(paths: Iterable[str]) -> list[LabError]:
    """What would not stay on a host. `paths` are as in the overlay's folder: base/usr/lib/…"""
    found = []
    for path in sorted(paths):
        variant, _, inside = path.partition("/")
        if inside and (told := why_not_kept(inside)):
            found.append(LabError(f"overlay/{variant}: /{inside}: {told[0]}", told[1], code=Code.OVERLAY_PATH))
    return found


_TMPFILES = "let usr/lib/tmpfiles.d make it"
_AT_BOOT = ("run", "tmp", "dev", "proc", "sys")
_K3S = ("usr/bin/k3s", "usr/sbin/k3s", "usr/libexec/k3s")
_K3S_WHY = "k3s in /usr is read-only: nothing could upgrade it"
_NOT_KEPT = (  # below which path, why it is not on a host, what would be right; the first that fits
    ("usr/local", "/usr/local is a link to /var/usrlocal on a host", "put it into /usr/bin or /usr/libexec"),
    ("usr/etc", "/usr/etc is made from /etc by the image's own tools", "put it into /etc"),
    ("var", "/var is the host's own: of an image's it takes nothing after its first boot", _TMPFILES),
    ("home", "/home is a link to /var/home on a host", "put it into /etc or /usr/share"),
    ("root", "/root is a link to /var/roothome on a host", "put it into /etc or /usr/share"),
    ("opt", "/opt is a link to /var/opt on a host", "put it into /usr/lib or /usr/share"),
    ("mnt", "/mnt is a link to /var/mnt on a host", _TMPFILES),
    ("srv", "/srv is a link to /var/srv on a host", "put it into /usr/share"),
    ("media", "/media is a link to /run/media on a host", _TMPFILES),
    *((name, f"/{name} is made anew at each boot", _TMPFILES) for name in _AT_BOOT),
    ("boot", "/boot is not an image's: a deployment writes its own kernel there", "usr/lib/bootc/kargs.d is for its arguments"),
    *((name, _K3S_WHY, "leave it out; zerotoil puts it at /usr/local/bin") for name in _K3S),
)


def why_not_kept(path: str) -> tuple[str, str] | None:
    """Why a file at that path (without the first slash) would not be on a host, and what would be right; None when it is kept."""
    for below, why, remedy in _NOT_KEPT:
        if path == below or path.startswith(f"{below}/"):
            return why, remedy
    top, _, rest = path.partition("/")
    if top in ("usr", "etc") and rest:
        return None
    return f"/{top} is not in an image-based system: its root is read-only", "put it into /usr or /etc"
