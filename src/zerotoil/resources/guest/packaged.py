"""Scripts and units of the package as files of a guest."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from importlib import resources

from zerotoil.model.places import TREE
from zerotoil.resources.guest.files import GuestFile

_HERE = resources.files("zerotoil.resources.guest")


def script(name: str, *parts: str) -> GuestFile:
    """One of our scripts, or what one of them reads, with the parts that it uses."""
    return GuestFile(f"{TREE}/bin/{name}", 0o755 if name.endswith(".sh") else 0o644, joined(name, *parts))


def joined(name: str, *parts: str) -> str:
    """A script as a file of its own: `parts`, files of what it uses, stand before it."""
    return "".join(map(script_text, (*parts, name)))


def script_text(name: str) -> str:
    """A script that is sent over SSH and kept nowhere."""
    return _HERE.joinpath("scripts", name).read_text()


def sent(name: str, *arguments: str, parts: Sequence[str] = (), more: str = "") -> str:
    """A script with its arguments, to be sent over SSH; `parts` are files of functions that it uses, `more` is another part."""
    return "\n".join([f"set -- {shlex.join(arguments)}", more, *map(script_text, parts), script_text(name)])


def unit(name: str, text: str = "") -> GuestFile:
    """A unit that install.sh installs; its text is in the package unless it is given."""
    return GuestFile(f"{TREE}/units/{name}", 0o644, text or _HERE.joinpath("units", name).read_text())
