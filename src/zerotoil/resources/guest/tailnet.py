"""Tailscale in a guest: the host as a machine of a tailnet, joined once, its preferences and HTTPS endpoints as declared.

What it is kept by lies in a tree of its own on the data disk (`model.places.TAILNET`), with the script that does everything in
the guest (scripts/tailscale.sh), which also says where the state lies and why. Whether it has to join is asked of tailscaled
itself: a host that is on the tailnet needs no key, and its secret is not read.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from typing import Any, ClassVar

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.places import TAILNET
from zerotoil.model.spec import HostSpec
from zerotoil.resources.guest import files, tailnet_diff
from zerotoil.resources.guest.files import GuestFile
from zerotoil.resources.guest.guest import Guest
from zerotoil.resources.guest.packaged import joined, sent
from zerotoil.resources.guest.tailnet_diff import JOINED, endpoints, preferences, without_keys
from zerotoil.resources.resource import Action, Change, Risk, must_match, updated

_SCRIPT, _PART = f"{TAILNET}/tailscale.sh", "part-units.sh"
_PATH = "zerotoil-tailscale.path"
_UNITS = resources.files("zerotoil.resources.guest").joinpath("units")
_FORWARDING = """# Written by zerotoil: this host passes on packets of its tailnet.
net.ipv4.ip_forward = 1
net.ipv6.conf.all.forwarding = 1
"""
_NO_PROGRAM = (
    "put tailscale into the OS image, then zerotoil migrate {name}; on stock CoreOS: "
    "zerotoil ssh {name} -- sudo rpm-ostree install tailscale (with its repository), and restart it"
)
_LASTING = "?ephemeral=false&preauthorized=true"  # else an OAuth client's machine is forgotten whenever it is off


def guest_files(spec: HostSpec) -> list[GuestFile]:
    """What one host is given. No secret is among them."""
    made = [
        GuestFile(_SCRIPT, 0o755, joined("tailscale.sh", _PART)),
        *(
            GuestFile(f"{TAILNET}/units/{name}", 0o644, _UNITS.joinpath(name).read_text())
            for name in (_PATH, "zerotoil-tailscale.service")
        ),
    ]
    return [*made, GuestFile(f"{TAILNET}/forwarding.conf", 0o644, _FORWARDING)] if spec.tailnet.forwards else made


@dataclass(frozen=True)
class Tailnet:
    """One machine of a tailnet."""

    guest: Guest
    spec: HostSpec
    key: str = "tailnet"

    @cached_property
    def files(self) -> Sequence[GuestFile]:
        """What it is given."""
        return guest_files(self.spec)

    def plan(self) -> list[Change]:
        """The changes that are needed now. Raises LabError for what no deploy can change."""
        have, seen = files.found(self.guest.facts(), TAILNET), self._seen()
        if self.guest.exists:
            self._refuse(seen)
        shown = files.showable(have, self.files)
        texts = self.guest.texts(shown) if shown else {}
        changes = files.changes(self.key, TAILNET, have, self.files, texts)
        if have is not None:
            changes += self._keeping(seen)
        return [
            *changes,
            *self._running(seen),
            *preferences(self.key, self.spec.tailnet, seen),
            *endpoints(self.key, self.spec.tailnet, seen),
        ]

    def _keeping(self, seen: Mapping[str, Any]) -> Iterator[Change]:
        """What of its state and units is not as it should be."""
        if seen.get("kept") == "newer":
            yield Change(self.key, Action.UPDATE, "its state", "this OS disk's, which is older", "the data disk's", Risk.RESTART)
        elif seen.get("kept") == "no":
            yield Change(self.key, Action.UPDATE, "copy of its state", "older", "as it is")
        for name in seen.get("in_etc", []):
            yield Change(self.key, Action.UPDATE, f"{name} in /etc", "another text", "as declared")
        yield from updated(self.key, {_PATH: "enabled, active"}, {_PATH: _unit(seen, _PATH)})

    def _running(self, seen: Mapping[str, Any]) -> Iterator[Change]:
        """The daemon and its connection."""
        service, state = _unit(seen, "tailscaled.service"), seen.get("state", "")
        if not seen:
            yield Change(self.key, Action.CREATE, "tailscaled.service", None, "enabled, active")
            yield Change(self.key, Action.CREATE, "state", None, "Running")
            return
        yield from updated(self.key, {"tailscaled.service": "enabled, active"}, {"tailscaled.service": service})
        if state not in JOINED:
            yield Change(self.key, Action.UPDATE, "state", state or "no answer", "Running")

    def apply(self) -> list[Change]:
        """Write the files, start tailscaled, join where the tailnet does not know the machine, and mend what differs."""
        changes = self.plan()
        if changes:
            have = files.found(self.guest.facts(), TAILNET)
            self.guest.write(f"{files.write_script(TAILNET, have, self.files)}sh {_SCRIPT} up\n")
            self._connect()
            self._mend()
            must_match(self.key, self.plan())
        return changes

    def _connect(self) -> None:
        seen = self._seen()
        state, name = seen["state"], self.spec.name
        if state in ("", "NoState"):
            raise LabError(
                f"{name}: tailscaled does not answer",
                f"zerotoil ssh {name} -- journalctl -u tailscaled",
                code=Code.TAILNET_SILENT,
            )
        if state == "NeedsLogin":
            key = self._key()
            flags = tailnet_diff.joining(self.spec.tailnet, seen["have_key"])
            source = self.spec.tailnet.auth_key.source if self.spec.tailnet.auth_key else ""
            remedy = "is the key valid, not used up and not expired, and may it give these tags?" + (
                f" It is in {source}" if source else ""
            )
            self._do("the tailnet was not joined", remedy, Code.TAILNET_NOT_JOINED, "join", *flags, stdin=key)
        elif state == "Stopped":
            look = f"zerotoil ssh {name} -- tailscale status"
            self._do("it does not connect to the tailnet", look, Code.TAILNET_NOT_JOINED, "again")

    def _mend(self) -> None:
        """Preferences by `tailscale set`, which touches no other one, then the endpoints."""
        seen, tailnet = self._seen(), self.spec.tailnet
        look = f"zerotoil ssh {self.spec.name} -- tailscale status"
        if fields := [change.field for change in preferences(self.key, tailnet, seen)]:
            flags = tailnet_diff.flags(tailnet, fields)
            self._do(f"Tailscale does not take {', '.join(fields)}", look, Code.TAILNET_REFUSED, "set", *flags)
        for change in endpoints(self.key, tailnet, seen):
            port = change.field.removeprefix("serve ")
            if change.after == "off":
                self._do(f"the endpoint {port} was not ended", look, Code.TAILNET_REFUSED, "unserve", port)
            else:
                remedy = (
                    "are HTTPS certificates switched on in the tailnet (admin console, DNS), and does nothing else serve there?"
                )
                words = ("serve", port, str(tailnet.serve[int(port)]))
                self._do(f"Tailscale does not serve {port}", remedy, Code.TAILNET_REFUSED, *words)

    def _do(self, what: str, remedy: str, code: Code, *words: str, stdin: str = "") -> None:
        """One step of the script. The key travels inside the script, on stdin, and from there into a file that is deleted."""
        given = f" <<'END-OF-KEY'\n{stdin}\nEND-OF-KEY" if stdin else ""
        answer = self.guest.write(f"sh {_SCRIPT} {shlex.join(words)}{given}\n").strip().splitlines()
        said = answer[-1] if answer else "failed without a word"
        if said != "ok":
            raise LabError(f"{self.spec.name}: {what}: {without_keys(said.removeprefix('failed '))}", remedy, code=code)

    def _key(self) -> str:
        """The key to join with. Raises LabError for one that cannot be right, without showing it."""
        tailnet = self.spec.tailnet
        if not tailnet.auth_key:
            raise self._no_key()
        key = tailnet.auth_key.reveal().strip()
        client = key.startswith("tskey-client-")
        where = f"tailnet_auth_key ({tailnet.auth_key.source})" if tailnet.auth_key.source else "tailnet_auth_key"
        if not re.fullmatch(r"[!-~]+", key) or not (tailnet.login_server or client or key.startswith("tskey-auth-")):
            raise LabError(
                f"{self.spec.name}: {where} is no key that joins a machine",
                "make an auth key (tskey-auth-…) or an OAuth client with the scope Auth Keys (tskey-client-…)",
                code=Code.TAILNET_NO_KEY,
            )
        if client and not tailnet.tags:
            raise LabError(
                f"{self.spec.name}: {where} is an OAuth client's secret, which joins only machines with tags",
                'write tailnet_tags, for instance ["tag:lab"], as the client has them',
                code=Code.TAILNET_NO_KEY,
            )
        return f"{key}{_LASTING}" if client and "?" not in key else key

    def _no_key(self) -> LabError:
        what = f"{self.spec.name}: it is not on the tailnet, and there is no key to join with"
        return LabError(what, "write tailnet_auth_key", code=Code.TAILNET_NO_KEY)

    def _seen(self) -> dict[str, Any]:
        """What the guest says of Tailscale; it is asked apart where it has no script yet that says it."""
        told: dict[str, Any] = self.guest.facts().get("tailnet") or {}
        return told if told or not self.guest.exists else _asked(self.guest)

    def _refuse(self, seen: Mapping[str, Any]) -> None:
        name = self.spec.name
        if not seen["program"]:
            raise LabError(
                f"{name}: the program tailscale is not in its OS: nothing was changed",
                _NO_PROGRAM.format(name=name),
                code=Code.TAILNET_NO_PROGRAM,
            )
        if seen["state"] == "NeedsLogin" and seen["kept"] != "newer" and not self.spec.tailnet.auth_key:
            raise self._no_key()


@dataclass(frozen=True)
class GoneTailnet:
    """A host that declares no tailnet any more: it leaves, and its state stays."""

    guest: Guest
    key: str = "tailnet that is declared no more"
    gone: ClassVar[bool] = True  # not one of the resources that are as declared

    def plan(self) -> list[Change]:
        """One change where it is still there."""
        if not was_given(self.guest.facts()):
            return []
        ours = (self.guest.facts().get("tailnet") or {}).get("enabled_here", True)
        how = "tailscaled is stopped and disabled" if ours else "tailscale down; tailscaled goes on, since others enabled it"
        return [Change("tailnet", Action.UPDATE, "connected", "yes", f"no: {how}; its state stays", Risk.RESTART)]

    def apply(self) -> list[Change]:
        """End its endpoints and its connection, and take away what it was given."""
        changes = self.plan()
        if changes:
            written = files.write_script(TAILNET, files.found(self.guest.facts(), TAILNET), [])
            script = f"set -eu\n(\n{sent('tailscale.sh', 'remove', parts=[_PART])}\n) >&2\n"
            self.guest.write(f"{script}{written}rmdir {TAILNET}/units || true\n")
            must_match(self.key, [*self.plan(), *self._left()])
        return changes

    def _left(self) -> Iterator[Change]:
        """What of it still runs."""
        seen = _asked(self.guest)
        if seen["state"] in JOINED or seen["enabled_here"]:
            yield Change("tailnet", Action.UPDATE, "connected", seen["state"] or "tailscaled is enabled", "no", Risk.RESTART)


def was_given(facts: Mapping[str, Any]) -> bool:
    """Was Tailscale given to this guest, and not taken away again?"""
    return files.found(facts, TAILNET) is not None


def _asked(guest: Guest) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(guest.ask(sent("tailscale.sh", "observe", parts=[_PART])))
    return answer


def _unit(seen: Mapping[str, Any], name: str) -> str:
    found = seen.get("units", {}).get(name, {})
    return f"{found.get('UnitFileState') or 'not there'}, {found.get('ActiveState', 'inactive')}"
