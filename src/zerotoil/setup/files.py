"""The files of a first lab. Nothing that exists is overwritten; a .gitignore that exists gets a line at its end."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.setup.declaration import Declaration

INVENTORY, DEPLOY, IGNORE = "inventory/lab.py", "deploys/full.py", ".gitignore"
_TEMPLATES = Path(__file__).parent / "templates"
_IGNORED = ".zerotoil/"


def write(declaration: Declaration, root: Path) -> list[str]:
    """Write the files under `root` and return their names. Raises LabError, having written nothing, when one exists."""
    texts = {INVENTORY: inventory(declaration), DEPLOY: (_TEMPLATES / "full.py.j2").read_text()}
    taken = [name for name in texts if (root / name).exists() or (root / name).is_symlink()]
    if taken:
        verb = "exists" if len(taken) == 1 else "exist"
        raise LabError(
            f"{' and '.join(str(root / name) for name in taken)} {verb}, nothing was written",
            "see --directory",
            code=Code.FILE_EXISTS,
        )
    made: list[Path] = []
    try:
        for name, text in texts.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            with (root / name).open("x") as file:
                made.append(root / name)
                file.write(text)
        ignored = _ignore(root / IGNORE)
    except OSError as error:
        for path in made:
            with suppress(OSError):
                path.unlink()
        what = f"{error.filename or root} cannot be written ({error.strerror}), nothing was"
        raise LabError(what, "see --directory", code=Code.FILE_UNWRITABLE) from error
    return [*texts, *([IGNORE] if ignored else [])]


def inventory(declaration: Declaration) -> str:
    """The inventory, as Python for people."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["literal"] = literal
    return environment.get_template("lab.py.j2").render(host=declaration.host, data=declaration.data)


def literal(value: Any) -> str:
    """The value as a Python literal: its repr, with the quotes of the house where that changes nothing."""
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{literal(key)}: {literal(item)}' for key, item in value.items())}}}"
    text = repr(value)
    return f'"{text[1:-1]}"' if isinstance(value, str) and "'" not in value and '"' not in value else text


def _ignore(path: Path) -> bool:
    """Keep what runs leave behind out of git. False when the line was there already."""
    known = path.read_text() if path.exists() else ""
    if _IGNORED in known.split() or _IGNORED.rstrip("/") in known.split():
        return False
    with path.open("a") as file:
        file.write(("" if not known or known.endswith("\n") else "\n") + f"{_IGNORED}\n")
    return True
