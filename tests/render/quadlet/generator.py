"""podman's own quadlet generator, and how systemd reads the command lines that it writes."""

import os
import re
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from zerotoil.minilab.tools import tool

_CUNESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "s": " "}
_OWN_SPECIFIERS = ("%t", "%N", "%n")  # what quadlet itself writes


class QuadletError(Exception):
    """What the generator said of files that it does not take."""


def generated(files: Mapping[str, str], podman: str = "/usr/bin/podman") -> dict[str, str]:
    """The services that podman 5.4 makes of quadlet files, by name. Raises QuadletError."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            Path(folder, name).write_text(text)
        done = subprocess.run(
            [str(tool("quadlet")), "-dryrun", "-no-kmsg-log"],
            env=os.environ | {"QUADLET_UNIT_DIRS": folder, "PODMAN": podman},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    said = [line for line in done.stderr.splitlines() if "Loading source unit file" not in line]
    if done.returncode or said:
        raise QuadletError("\n".join(said))
    parts = re.split(r"^---(.+\.service)---$", done.stdout, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], (text.strip() + "\n" for text in parts[1::2]), strict=True))


def lines(service: str, key: str) -> list[str]:
    """The values of a key of a service file."""
    return re.findall(rf"^{key}=(.*)$", service, re.MULTILINE)


def command(service: str) -> list[str]:
    """The arguments with which systemd starts the service."""
    (line,) = lines(service, "ExecStart")
    return [_expanded(word) for word in words(line)]


def words(line: str) -> list[str]:
    """A command line split as systemd does (src/basic/extract-word.c, UNQUOTE and CUNESCAPE)."""
    found, at = [], 0
    while at < len(line):
        if line[at] in " \t":
            at += 1
            continue
        assert line[at] != ";" or line[at + 1 : at + 2] not in ("", " ", "\t"), "systemd would end the command here"
        word, at = _one_word(line, at)
        found.append(word)
    return found


def _one_word(line: str, at: int) -> tuple[str, int]:
    word, quote = "", ""
    while at < len(line) and (quote or line[at] not in " \t"):
        letter = line[at]
        if letter == "\\":
            letter, at = _unescaped(line, at + 1)
            word += letter
            continue
        if quote and letter == quote:
            quote = ""
        elif not quote and letter in "\"'":
            quote = letter
        else:
            word += letter
        at += 1
    assert not quote, f"unbalanced: {line}"
    return word, at


def _unescaped(line: str, at: int) -> tuple[str, int]:
    letter = line[at]
    if letter == "x":
        return chr(int(line[at + 1 : at + 3], 16)), at + 3
    if letter in "\\\"'":
        return letter, at + 1
    assert letter in _CUNESCAPES, f"systemd knows no escape \\{letter}"
    return _CUNESCAPES[letter], at + 1


def _expanded(word: str) -> str:
    """Specifiers and variables, as systemd expands them: only what quadlet wrote itself may be one."""
    for part in re.findall(r"%.?", word):
        assert part == "%%" or part in _OWN_SPECIFIERS, f"systemd would expand {part} in {word}"
    assert "$" not in word.replace("$$", ""), f"systemd would expand a variable in {word}"
    return word.replace("%%", "%").replace("$$", "$")


def options(service: str, option: str) -> list[str]:
    """The values that an option of `podman run` is given."""
    argv = command(service)
    return [argv[index + 1] for index, word in enumerate(argv) if word == option]
