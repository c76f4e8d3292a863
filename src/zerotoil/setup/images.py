"""The folder of an OS image as it is shipped, written into the owner's project. Nothing that exists is overwritten."""

from __future__ import annotations

from pathlib import Path

from zerotoil.error_codes import Code
from zerotoil.errors import LabError

SHIPPED = Path(__file__).parent / "templates" / "images"
WORKFLOWS = {"github": ".github/workflows/os-image.yml", "forgejo": ".forgejo/workflows/os-image.yml"}


def write_images(root: Path, ci: str = "") -> list[str]:
    """Write images/ (and one workflow) below `root`; their names. Raises LabError, having written nothing, when one exists."""
    sources = {path: f"images/{path.relative_to(SHIPPED)}" for path in sorted(SHIPPED.rglob("*")) if path.is_file()}
    wanted = {name: path for path, name in sources.items() if path.parent.name != "ci"}
    if ci:
        wanted[WORKFLOWS[ci]] = SHIPPED / "ci" / f"{ci}.yml"
    if taken := [name for name in wanted if (root / name).exists() or (root / name).is_symlink()]:
        verb = "exists" if len(taken) == 1 else "exist"
        what = f"{' and '.join(str(root / name) for name in taken)} {verb}, nothing was written"
        raise LabError(what, "see --directory", code=Code.FILE_EXISTS)
    try:
        for name, source in wanted.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(source.read_bytes())
            (root / name).chmod(0o755 if source.suffix == ".sh" else 0o644)  # packages do not always keep the mode
    except OSError as error:
        what = f"{error.filename or root} cannot be written ({error.strerror})"
        raise LabError(what, "see --directory", code=Code.FILE_UNWRITABLE) from error
    return list(wanted)
