"""The owner's project on disk: templates, Butane fragments, public keys, the pinned host keys."""

from __future__ import annotations

from pathlib import Path

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.spec import HostSpec
from zerotoil.render.butane import TEMPLATES, Fragment, render_butane

_SHIPPED = Path(__file__).parents[3] / "templates"


def known_hosts(root: Path) -> Path:
    """Where the guests' SSH host keys are pinned; made when absent."""
    path = root / ".zerotoil" / "known_hosts"
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.touch(mode=0o600)
    return path


def butane(spec: HostSpec, root: Path) -> str:
    """The host's Butane, from the project's templates (or the shipped ones) and the owner's fragments."""
    return render_butane(spec, _templates(root), _authorized_keys(spec), [_fragment(spec, text, root) for text in spec.os.butane])


def _templates(root: Path) -> dict[str, str]:
    found = {}
    for name in TEMPLATES:
        own = root / "templates" / name
        found[name] = _read(own if own.is_file() else _SHIPPED / name, "template")
    return found


def _fragment(spec: HostSpec, given: str, root: Path) -> Fragment:
    """A fragment is text (it has a line break or a colon followed by a space) or the path of a file in the project."""
    if "\n" in given or ": " in given:
        return Fragment("(inline)", given)
    return Fragment(given, _read(root / _expanded(given), f"{spec.name}: os_butane fragment"))


def _authorized_keys(spec: HostSpec) -> list[str]:
    keys = []
    for given in spec.ssh.authorized_keys:
        text = _read(_expanded(given[5:]), f"{spec.name}: ssh_authorized_keys:") if given.startswith("file:") else given
        keys += [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    for key in keys:
        if not key.startswith(("ssh-", "ecdsa-", "sk-")):
            raise LabError(
                f"{spec.name}: ssh_authorized_keys holds what is no public key ({key[:20]}…)",
                'write "file:~/.ssh/id_ed25519.pub" or the line in it, never the private key',
                code=Code.NO_PUBLIC_KEY,
            )
    return keys


def signature_key(spec: HostSpec, root: Path) -> str | None:
    """The text of os_signature_key; None where none is declared. Raises LabError for what is no public key of cosign."""
    given = spec.os.signature_key
    if given is None:
        return None
    text = _read(root / _expanded(str(given)), f"{spec.name}: os_signature_key")
    if not text.startswith("-----BEGIN PUBLIC KEY-----"):
        raise LabError(
            f"{spec.name}: os_signature_key {given} holds no public key",
            "name the cosign.pub that `cosign generate-key-pair` has written, never cosign.key",
            code=Code.OS_NO_KEY,
        )
    return text


def _read(path: Path, what: str) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise LabError(
            f"{what} {path} cannot be read ({error.strerror})", "write the path of a file", code=Code.FILE_UNREADABLE
        ) from error
    except UnicodeDecodeError as error:
        raise LabError(
            f"{what} {path} cannot be read (it is no text)", "write the path of a text file", code=Code.FILE_UNREADABLE
        ) from error


def _expanded(path: str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError:  # "~nobody": no such user; then it is the name of a file
        return Path(path)
