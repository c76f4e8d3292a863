"""The folder of an OS image: its files, and everything that is wrong with them before anything is built. Reads only.

Containerfile    base.lock    overlay/STAGE/usr, overlay/STAGE/etc
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from zerotoil.clients import shellcheck
from zerotoil.error_codes import Code
from zerotoil.errors import LabError, Several
from zerotoil.layers.check_units import unit_complaints
from zerotoil.model.os_image import CONTAINERFILE, LOCK, OVERLAY, Base, read_lock
from zerotoil.model.os_image_rules import containerfile_problems, overlay_problems, stages

_KINDS = "service|timer|path|mount|automount|socket|target"
_UNIT = re.compile(rf"(?:usr/lib|etc)/systemd/system/([^/]+\.(?:{_KINDS})(?:\.d/[^/]+\.conf)?)")
_SHEBANG = re.compile(rb"#! ?(/usr)?/bin/(env )?(sh|bash|dash)\b")
_STUB = {"service": "[Service]\nType=oneshot\nExecStart=/bin/true\n", "timer": "[Timer]\nOnCalendar=daily\n"}
_STARTED = ("usr/bin/", "usr/sbin/", "usr/libexec/", "usr/lib/systemd/system-generators/", "etc/zerotoil/health.d/")


@dataclass(frozen=True)
class ImageFolder:
    """The owner's `images/`."""

    root: Path

    @property
    def containerfile(self) -> str:
        """The text of the Containerfile. Raises LabError without one."""
        try:
            return (self.root / CONTAINERFILE).read_text()
        except (OSError, UnicodeDecodeError) as error:
            what = f"{self.root / CONTAINERFILE} cannot be read ({getattr(error, 'strerror', None) or 'it is no text'})"
            raise LabError(what, "zerotoil image init writes one; another folder: --directory", code=Code.IMAGE_FOLDER) from error

    @property
    def base(self) -> Base:
        """What base.lock pins. Raises LabError where that is nothing."""
        try:
            return read_lock((self.root / LOCK).read_text())
        except (OSError, UnicodeDecodeError) as error:
            raise LabError(f"{self.root / LOCK} is not there", "run zerotoil image pin", code=Code.BASE_NOT_PINNED) from error

    @property
    def variants(self) -> list[str]:
        """The stages that can be built."""
        return [stage.name for stage in stages(self.containerfile)]

    def check_variant(self, variant: str) -> None:
        """Raises LabError for a stage that is not in the Containerfile."""
        if variant not in self.variants:
            what = f"{self.root / CONTAINERFILE} has no stage {variant}"
            raise LabError(what, f"it has {', '.join(self.variants) or 'none'}", code=Code.IMAGE_FOLDER)

    def files(self) -> list[tuple[str, bool, bytes]]:
        """What an image is made of, without base.lock and ci/: path, executable or not, content (of a link: where it points)."""
        found = []
        for path in self._walk(self.root):
            name = str(path.relative_to(self.root))
            if name != LOCK and not name.startswith("ci/"):
                link = path.is_symlink()
                data = str(path.readlink()).encode() if link else path.read_bytes()
                found.append((name, not link and os.access(path, os.X_OK), data))
        return found

    def check(self) -> None:
        """Raise LabError with everything that is wrong, a line each; each with its own code."""
        problems = containerfile_problems(self.containerfile)
        paths = {str(path.relative_to(self.root / OVERLAY)): path for path in self._walk(self.root / OVERLAY)}
        problems += overlay_problems(paths)
        problems += self._units(paths)
        problems += self._scripts(paths)
        if problems:
            raise Several(problems)

    @staticmethod
    def _walk(root: Path) -> Iterator[Path]:
        return (path for path in sorted(root.rglob("*")) if path.is_symlink() or not path.is_dir())

    def _units(self, paths: dict[str, Path]) -> Iterator[LabError]:
        """By variant, since two of them may have units of one name."""
        if not shutil.which("systemd-analyze"):
            raise LabError("systemd-analyze is not installed", "install systemd", code=Code.TOOL_MISSING)
        for variant in sorted({name.partition("/")[0] for name in paths}):
            texts: dict[str, str] = {}
            for name, path in paths.items():
                found = _UNIT.fullmatch(name.removeprefix(f"{variant}/"))
                if found and name.startswith(f"{variant}/") and not path.is_symlink():
                    texts[found[1]] = path.read_text(errors="replace")
            for name in [name for name in texts if "/" in name]:  # a drop-in of a unit that the base has
                unit = name.partition(".d/")[0]
                texts.setdefault(unit, _STUB.get(unit.rpartition(".")[2], "[Unit]\n"))
            for what in unit_complaints(texts):
                yield LabError(f"{OVERLAY}/{variant}: {what}", code=Code.IMAGE_UNIT)

    def _scripts(self, paths: dict[str, Path]) -> Iterator[LabError]:
        scripts = [path for path in paths.values() if not path.is_symlink() and _SHEBANG.match(path.read_bytes()[:40])]
        for path, line, what in shellcheck.complaints(scripts):
            yield LabError(f"{path.relative_to(self.root)} line {line}: {what}", "mend the script", code=Code.IMAGE_SCRIPT)
        for path in scripts:
            inside = str(path.relative_to(self.root / OVERLAY)).partition("/")[2]
            if inside.startswith(_STARTED) and not os.access(path, os.X_OK):
                name = path.relative_to(self.root)
                yield LabError(f"{name} is a script and not executable", f"chmod +x {path}", code=Code.IMAGE_SCRIPT)
