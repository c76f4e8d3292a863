"""One app of a guest: its files, its unit, its containers.

Natural key: the app's name, which is the Compose project. Containers are compared by Compose's own config hash: `up`
notes the hash of every service, and a container that carries another one was made by hand. Source: docker compose
config --hash; docker container inspect.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zerotoil.model.places import DATA, app_folder
from zerotoil.resources.guest import files
from zerotoil.resources.guest.files import Found, GuestFile
from zerotoil.resources.guest.guest import Guest
from zerotoil.resources.guest.wait import until_up
from zerotoil.resources.resource import Action, Change, Risk, must_match, updated

_LABEL = "com.docker.compose"
_BY_HAND = "changed by hand"


def unit(name: str) -> str:
    """The unit that starts an app."""
    return f"zerotoil-app@{name}.service"


@dataclass(frozen=True)
class App:
    """An app that the host runs. `services`: the names in its compose.yaml, each with the paths that its container mounts."""

    guest: Guest
    name: str
    files: Sequence[GuestFile]
    services: Mapping[str, Sequence[str]]

    @property
    def key(self) -> str:
        """The natural key in words."""
        return f"app {self.name}"

    def plan(self) -> list[Change]:
        """The changes that are needed now."""
        facts, root = self.guest.facts(), app_folder(self.name)
        have = files.found(facts, root)
        changes = files.changes(self.key, root, have, self.files, self.guest.texts(files.showable(have, self.files)), self._risk)
        if have is None or list(files.notes(facts, root, "stopped")):
            running = [Change(self.key, Action.CREATE, f"container {service}", None, "running") for service in self.services]
            return changes + running
        state = facts["units"].get(unit(self.name), {})
        changes += updated(self.key, {"unit": "enabled, active"}, {"unit": f"{state.get('enabled')}, {state.get('active')}"})
        return changes + list(self._containers(facts, root))

    def _readers(self, path: str) -> list[str]:
        """The services whose containers mount a file."""
        return [name for name, paths in self.services.items() if any(f"{path}/".startswith(f"{above}/") for above in paths)]

    def _risk(self, path: str) -> Risk:
        made_again = path in (f"{app_folder(self.name)}/compose.yaml", f"{app_folder(self.name)}/.env")
        return Risk.RESTART if made_again or self._readers(path) else Risk.SAFE

    def _containers(self, facts: dict[str, Any], root: str) -> Iterator[Change]:
        """What Compose would have to make again: services without a container, stopped ones, ones of another config."""
        noted = dict(line.split(" ", 1) for line in files.notes(facts, root, "hashes"))
        there = {_label(item, "service"): item for item in facts["containers"] if _label(item, "project") == self.name}
        for service, config_hash in sorted(noted.items()):
            have = _condition(there.get(service), config_hash)
            if have != "running":
                risk = Risk.RESTART if have == _BY_HAND else Risk.SAFE
                yield Change(self.key, Action.UPDATE, f"container {service}", have, "running", risk)

    def apply(self) -> list[Change]:
        """Write the files and let the unit bring the containers up; the old ones run until the new images are here."""
        changes = self.plan()
        if changes:
            root = app_folder(self.name)
            have = files.found(self.guest.facts(), root)
            self.guest.write(
                files.write_script(root, have, self.files)
                + self._restart_readers(have)
                + f"rm -f {root}/.zerotoil/stopped\nsystemctl daemon-reload\nsystemctl enable {unit(self.name)} >&2\n"
                f"systemctl reload-or-restart --no-block {unit(self.name)}\n"
            )
            until_up(self.guest, self.key, unit(self.name))
            must_match(self.key, self.plan())
        return changes

    def _restart_readers(self, have: Found | None) -> str:
        """Notes for `up` whom to restart: Compose does not look into the files that a container mounts."""
        changed = [file.path for file in files.differing(have, self.files)] if have else []
        readers = sorted({service for path in changed for service in self._readers(path)})
        return f"echo {' '.join(readers)} >{app_folder(self.name)}/.zerotoil/restart\n" if readers else ""


@dataclass(frozen=True)
class GoneApps:
    """Apps that the host runs no more: stopped, their containers removed, their data kept."""

    guest: Guest
    declared: Sequence[str]

    @property
    def key(self) -> str:
        """The natural key in words."""
        return "apps that are declared no more"

    def plan(self) -> list[Change]:
        """One change for each that still runs."""
        return [
            Change(f"app {name}", Action.UPDATE, "runs", "yes", f"no; its data stays in {app_folder(name)}", Risk.RESTART)
            for name in self._names()
        ]

    def apply(self) -> list[Change]:
        """Stop them and note that; nothing in their folders is removed."""
        changes = self.plan()
        if changes:
            lines = [
                f"systemctl disable --now {unit(name)} >&2\n"
                # One that only podman ran has neither, and nothing of Compose to take down.
                f"if [ -e {app_folder(name)}/.zerotoil/override.yaml ] || [ -e {app_folder(name)}/.zerotoil/hashes ]; then\n"
                f"  sh {DATA}/zerotoil/bin/app.sh down {name} >&2\nfi\n"
                f"date -u +%Y-%m-%dT%H:%M:%SZ >{app_folder(name)}/.zerotoil/stopped\n"
                for name in self._names()
            ]
            self.guest.write("set -eu\n" + "".join(lines))
            must_match(self.key, self.plan())
        return changes

    def _names(self) -> list[str]:
        facts, start, end = self.guest.facts(), "apps/", "/.zerotoil/files:"
        lines = facts.get("notes", "").splitlines()
        there = {line[len(start) : line.index(end)] for line in lines if line.startswith(start) and end in line}
        return [name for name in sorted(there - set(self.declared)) if not list(files.notes(facts, app_folder(name), "stopped"))]


def _label(container: dict[str, Any], name: str) -> str:
    return str((container["Config"].get("Labels") or {}).get(f"{_LABEL}.{name}", ""))


def _condition(container: dict[str, Any] | None, config_hash: str) -> str:
    """What is to be said of a container: running, removed, stopped, or made by hand."""
    if container is None:
        return "removed"
    if _label(container, "config-hash") != config_hash:
        return _BY_HAND
    state = container["State"]
    once = container["HostConfig"]["RestartPolicy"]["Name"] in ("no", "") and state["ExitCode"] == 0
    if state["Status"] == "running" or (state["Status"] == "exited" and once):
        return "running"
    return str(state["Status"])
