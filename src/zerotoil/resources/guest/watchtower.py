"""The Watchtower container, compared by inspecting what really runs.

Natural key: the container's name. Source: docker container inspect; nicholas-fedor/watchtower docs/configuration.
The socket is mounted without :z (relabelling a host socket breaks others) and the container runs with label=disable,
since SELinux would otherwise deny it the socket.
"""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.secret import MASK
from zerotoil.model.units import Lifetime
from zerotoil.model.watchtower import WatchtowerSpec
from zerotoil.resources.guest.guest import Guest
from zerotoil.resources.guest.registries import BIND_OF_LOGINS, CA_INSIDE, DOCKER_CONFIG, LOGINS_INSIDE
from zerotoil.resources.resource import Change, created, must_match, updated

NAME = "watchtower"
OWNER_LABEL = "zerotoil.owner"
NOTIFY_FILE = "/var/lib/zerotoil/watchtower/notify-url"
_NOTIFY_INSIDE = "/run/secrets/notify-url"
_SOCKET = "/var/run/docker.sock"
_PLAIN = {"TZ", "WATCHTOWER_SCHEDULE", "WATCHTOWER_COOLDOWN_DELAY", "WATCHTOWER_POLL_INTERVAL", "DOCKER_CONFIG", "SSL_CERT_DIR"}
_OURS = ("TZ", "WATCHTOWER_", "DOCKER_CONFIG", "SSL_CERT_")


def environment(spec: WatchtowerSpec) -> dict[str, str]:
    """The environment that expresses the spec. It holds no secret: the notification URL is named by file."""
    env = {
        "TZ": spec.timezone,
        "WATCHTOWER_SCHEDULE": spec.schedule,
        "WATCHTOWER_CLEANUP": _bool(spec.cleanup),
        "WATCHTOWER_LABEL_ENABLE": _bool(spec.label_enable),
        "WATCHTOWER_ROLLING_RESTART": _bool(spec.rolling_restart),
    }
    if spec.cooldown:
        env["WATCHTOWER_COOLDOWN_DELAY"] = _go_duration(spec.cooldown)
    if spec.notify_url:
        env |= {"WATCHTOWER_NOTIFICATION_URL": _NOTIFY_INSIDE, "WATCHTOWER_NOTIFICATION_REPORT": "true"}
    return env


def declared(spec: WatchtowerSpec, owner: str, logins: bool = False, ca: str = "") -> dict[str, Any]:
    """The container as declared, in the terms of `observed`. `logins`: it asks registries with the host's own; `ca`: the
    folder of a CA that it trusts beside those of its image.

    Go reads every certificate of SSL_CERT_DIR, and the image's own file all the same (crypto/x509, root_unix.go); Watchtower
    sets no other roots (pkg/registry/auth).
    """
    binds, more = [f"{_SOCKET}:{_SOCKET}"], dict[str, str]()
    if logins:
        binds.append(BIND_OF_LOGINS)
        more["DOCKER_CONFIG"] = LOGINS_INSIDE
    if ca:
        binds.append(f"{ca}:{CA_INSIDE}:ro")
        more["SSL_CERT_DIR"] = CA_INSIDE
    if spec.notify_url:
        binds.append(f"{NOTIFY_FILE}:{_NOTIFY_INSIDE}:ro")
    return {
        "image": spec.image,
        "restart policy": spec.restart,
        "security options": ["label=disable"],
        "mounts": sorted(binds),
        "environment": environment(spec) | more,
        "arguments": [],
        "state": "running",
        "owner": owner,
    }


def observed(container: dict[str, Any]) -> dict[str, Any]:
    """What `docker inspect` says, reduced to what is declared."""
    host, config = container["HostConfig"], container["Config"]
    env = dict(entry.partition("=")[::2] for entry in config.get("Env") or [])
    return {
        "image": config["Image"],
        "restart policy": host["RestartPolicy"]["Name"],
        "security options": sorted(option.replace(":", "=", 1) for option in host.get("SecurityOpt") or []),
        "mounts": sorted(host.get("Binds") or []),
        "environment": {key: value for key, value in env.items() if key.startswith(_OURS)},
        "arguments": list(config.get("Cmd") or []),
        "state": container["State"]["Status"],
        "owner": (config.get("Labels") or {}).get(OWNER_LABEL, ""),
    }


@dataclass(frozen=True)
class Watchtower:
    """The Watchtower container of one guest."""

    guest: Guest
    spec: WatchtowerSpec
    owner: str
    adopt: bool = False  # one that somebody else made is replaced
    logins: bool = False
    ca: str = ""

    @property
    def key(self) -> str:
        """The natural key in words."""
        return f"container {NAME}"

    def plan(self) -> list[Change]:
        """The changes that are needed now."""
        want, facts = self._declared(), self.guest.facts()
        running = [item for item in facts["containers"] if item["Name"].lstrip("/") == NAME]
        if not running:
            return created(self.key, want)
        have = observed(running[0])
        if not have["owner"] and not self.adopt:
            raise LabError(
                f"{self.guest.name}: a container named {NAME} runs there that is not ours",
                f"remove or rename it: zerotoil ssh {self.guest.name} -- sudo docker rename {NAME} {NAME}-old",
                code=Code.CONTAINER_NOT_OURS,
            )
        changes = [replace(change, before=_shown(change.field, change.before)) for change in updated(self.key, want, have)]
        if self._notify_sha256() != facts["notify_sha256"]:
            changes += updated(self.key, {"notification URL": f"{MASK} (new)"}, {"notification URL": MASK})
        return changes

    def apply(self) -> list[Change]:
        """Write the notification file, then replace the container; the old one goes only when the new one exists."""
        changes = self.plan()
        if changes:
            self.guest.write(self._script())
            must_match(self.key, self.plan())
        return changes

    def _declared(self) -> dict[str, Any]:
        return declared(self.spec, self.owner, self.logins, self.ca)

    def _notify_sha256(self) -> str:
        return hashlib.sha256(self._notify_text().encode()).hexdigest() if self.spec.notify_url else ""

    def _notify_text(self) -> str:
        return self.spec.notify_url.reveal() + "\n" if self.spec.notify_url else ""

    def _script(self) -> str:
        want, folder, new = self._declared(), NOTIFY_FILE.rsplit("/", 1)[0], f"{NAME}.new"
        create = ["docker", "create", "--name", new, "--restart", want["restart policy"], "--security-opt", "label=disable"]
        create += ["--label", f"{OWNER_LABEL}={self.owner}"]
        for bind in want["mounts"]:
            create += ["--volume", bind]
        for name, value in want["environment"].items():
            create += ["--env", f"{name}={value}"]
        create.append(self.spec.image)
        image = shlex.quote(self.spec.image)
        # The secret arrives on stdin inside this script: never in an argument list. A missing or empty file would
        # silently mean no notifications, so it is written before the container exists.
        notify = (
            f"umask 077; mkdir -p {folder}\ncat >{NOTIFY_FILE}.new <<'END-OF-SECRET'\n{self._notify_text()}END-OF-SECRET\n"
            f"mv {NOTIFY_FILE}.new {NOTIFY_FILE}\n"
            if self.spec.notify_url
            else f"rm -f {NOTIFY_FILE}\n"
        )
        login = f"export DOCKER_CONFIG={DOCKER_CONFIG}\n" if self.logins else ""
        return (
            f"set -eu\n{login}{notify}docker image inspect {image} >/dev/null 2>&1 || docker pull --quiet {image} >&2\n"
            f"docker rm --force {new} >/dev/null 2>&1 || true\n{shlex.join(create)} >&2\n"
            f"docker rm --force {NAME} >/dev/null 2>&1 || true\ndocker rename {new} {NAME}\ndocker start {NAME} >&2\n"
        )


def _shown(field: str, value: Any) -> Any:
    """What a container made by hand has: tokens and URLs with passwords stand in its environment and its arguments."""
    if field == "environment":
        return {
            name: text if name in _PLAIN or text in ("true", "false", _NOTIFY_INSIDE) else MASK for name, text in value.items()
        }
    return shown_arguments(value) if field == "arguments" else value


def shown_arguments(arguments: Iterable[str]) -> list[str]:
    """The options without their values: `--notification-url` has a token in it."""
    return [re.sub(r"^(-[^=]*=).*|^[^-].*", rf"\1{MASK}", argument, flags=re.DOTALL) for argument in arguments]


def _bool(value: bool) -> str:
    return "true" if value else "false"


def _go_duration(age: Lifetime) -> str:
    """Watchtower's own notation: 3d, 12h, 2w."""
    return f"{age.value}{age.unit[0]}"
