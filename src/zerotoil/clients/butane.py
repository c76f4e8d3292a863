"""Real Butane and ignition-validate, as subprocesses. Source: butane docs (--strict), ignition docs."""

from __future__ import annotations

import functools
import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from zerotoil.clients import cache
from zerotoil.error_codes import Code
from zerotoil.errors import LabError

_SECONDS = 30
_READS_FILES = re.compile(r"(?m)^[\s-]*((\w+_)?local|trees):")  # contents.local, ssh_authorized_keys_local, storage.trees
_DRAWN = re.compile(
    r"^(error|warning)\[(.+)\]:\n +--> [^\n]*:(\d+):(\d+)\n(?:^ *\d* \|(?! *\^)[^\n]*\n)*^ *\| *\^+ ([^\n]+)", re.M
)


def find(tool: str) -> str | None:
    """The tool beside this Python, else on the PATH."""
    beside = Path(sys.executable).parent / tool
    return str(beside) if beside.exists() else shutil.which(tool)


def ignition(config: str, files_dir: Path | None = None) -> str:
    """The validated Ignition JSON of a Butane config; kept by content, since the two tools take most of a plan's time."""
    if _READS_FILES.search(config):  # it reads other files, which are not part of the name
        return _made(config, files_dir)
    kept = cache.folder("ignition") / hashlib.sha256(f"{_tools()}\n{config}".encode()).hexdigest()
    made = cache.read(kept)
    if made is None:
        made = _made(config, files_dir)
        cache.write(kept, made)
    return made


@functools.cache
def _tools() -> str:
    """Which tools would make it: another version may make something else."""
    tools = [Path(path) for tool in ("butane", "ignition-validate") if (path := find(tool))]
    return "\n".join(f"{tool.resolve()} {tool.stat().st_mtime_ns} {tool.stat().st_size}" for tool in tools)


def _made(config: str, files_dir: Path | None) -> str:
    made = transpile(config, files_dir)
    validate(made)
    return made


def transpile(config: str, files_dir: Path | None = None) -> str:
    """Ignition JSON of a Butane config. Warnings are errors: an unknown key is only a warning otherwise."""
    butane = find("butane")
    if not butane:
        raise LabError("butane is not installed", "run make setup, or put a butane binary on the PATH", code=Code.TOOL_MISSING)
    line = [butane, "--strict", *(["--files-dir", str(files_dir)] if files_dir else [])]
    return _run(line, config, "Butane refuses the config")


def validate(ignition: str) -> None:
    """Raise LabError when ignition-validate refuses the config. Does nothing where that tool is not installed."""
    tool = find("ignition-validate")
    if tool:
        _run([tool, "-"], ignition, "ignition-validate refuses the config")


def _run(line: list[str], text: str, refused: str) -> str:
    try:
        done = subprocess.run(line, input=text, capture_output=True, text=True, timeout=_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise LabError(f"{Path(line[0]).name} did not answer in {_SECONDS} s", "run it by hand", code=Code.TOOL_FAILED) from error
    except OSError as error:
        raise LabError(f"{line[0]} cannot be run ({error.strerror})", "run make setup", code=Code.TOOL_FAILED) from error
    if done.returncode:
        said = messages(done.stderr, text) or messages(done.stdout)  # ignition-validate complains on stdout
        raise LabError(f"{refused} ({'; '.join(said)})", "mend os_butane or templates/", code=Code.CONFIG_REFUSED)
    return done.stdout


def messages(text: str, config: str = "") -> list[str]:
    """What Butane says, one line per problem: "storage.files[/etc/x].path: …".

    Since 0.29 it draws each problem into an excerpt of the config; of that, place and words are kept. The place is told
    by names, since the config is merged from templates and fragments and its lines and indexes are nobody's.
    """
    drawn: dict[str, str] = {}
    for _kind, path, _line, _column, words in _DRAWN.findall(text):
        drawn.setdefault(named(path, config), words)  # what else is said of the same place follows from the first
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if "yaml: unmarshal errors" in text:
        lines = [re.sub(r"^line \d+: ", "", line) for line in lines if "unmarshal errors" not in line]
    return [f"{place}: {words}" for place, words in drawn.items()] or lines


def named(path: str, config: str) -> str:
    """A place in a config with the names of its items: "$.storage.files.0.path" -> "storage.files[/etc/x].path"."""
    try:
        value = yaml.safe_load(config)
    except yaml.YAMLError:
        return path
    found = ""
    for part in path.removeprefix("$.").split("."):
        if part.isdigit() and isinstance(value, list) and int(part) < len(value):
            value = value[int(part)]
            name = next((value[key] for key in ("path", "name") if key in value), part) if isinstance(value, dict) else part
            found += f"[{name}]"
        else:
            value = value.get(part) if isinstance(value, dict) else None
            found += f".{part}"
    return found.removeprefix(".")
