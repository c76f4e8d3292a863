"""k3s in a guest: what it is given, its service, and the node's own word that it is ready.

What it is given lies in a tree of its own on the data disk (`model.places.K3S`), with the script that does everything in the
guest (scripts/k3s.sh). The binary comes beside it at the first start, and from then on the upgrade controller replaces
it: its version is no drift. Nodes of a cluster may be made at the same time: one that joins tries again until the first server is
there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from typing import Any, ClassVar

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.places import K3S, TREE
from zerotoil.model.spec import HostSpec
from zerotoil.render import k3s as render
from zerotoil.resources.guest import files
from zerotoil.resources.guest.files import GuestFile
from zerotoil.resources.guest.guest import Guest
from zerotoil.resources.guest.k3s_wait import until_ready
from zerotoil.resources.guest.packaged import joined, sent
from zerotoil.resources.resource import Action, Change, Risk, must_match, updated

_SCRIPT, _PART = f"{K3S}/k3s.sh", "part-units.sh"
_UNITS = resources.files("zerotoil.resources.guest").joinpath("units")
_POLICY = "put k3s-selinux into the OS image (https://rpm.rancher.io, dnf install k3s-selinux), then zerotoil migrate {name}"
_NOT_BACK = "etcd; only an undo leads back"


def service(spec: HostSpec) -> str:
    """The service of a node."""
    return "k3s.service" if spec.k3s.role == "server" else "k3s-agent.service"


def guest_files(spec: HostSpec) -> list[GuestFile]:
    """What one node is given. Reveals the token and the registries' logins."""
    units = ["var-lib-rancher.mount", "k3s-pods.service", service(spec)]
    made = [
        GuestFile(_SCRIPT, 0o755, joined("k3s.sh", _PART)),
        *(GuestFile(f"{K3S}/units/{name}", 0o644, _UNITS.joinpath(name).read_text()) for name in units),
        GuestFile(f"{K3S}/config.yaml", 0o600, render.config(spec)),
    ]
    if spec.k3s.token:
        made.append(GuestFile(render.TOKEN_FILE, 0o600, f"{spec.k3s.token.reveal().strip()}\n", secret=True))
    if text := render.registries(spec.registry):
        made.append(GuestFile(f"{K3S}/registries.yaml", 0o600, text, secret=bool(spec.registry.logins)))
    if spec.k3s.airgap_images:
        made.append(GuestFile(f"{K3S}/images", 0o644, f"{spec.k3s.airgap_images} {spec.k3s.airgap_sha256}\n"))
    return made


@dataclass(frozen=True)
class K3s:
    """One node."""

    guest: Guest
    spec: HostSpec

    @property
    def key(self) -> str:
        """The natural key in words."""
        return f"k3s {self.spec.k3s.role}"

    @cached_property
    def files(self) -> Sequence[GuestFile]:
        """What it is given."""
        return guest_files(self.spec)

    def plan(self) -> list[Change]:
        """The changes that are needed now. Raises LabError for what no deploy can change."""
        have, seen = files.found(self.guest.facts(), K3S), self._seen()
        self._refuse(seen)
        shown = files.showable(have, self.files)
        texts = self.guest.texts(shown) if shown else {}
        changes = files.changes(self.key, K3S, have, self.files, texts, _risk)
        if self._cluster.datastore == "etcd" and seen.get("datastore") == "sqlite":
            changes.append(Change(self.key, Action.UPDATE, "datastore", "sqlite", _NOT_BACK, Risk.RESTART))
        if not seen.get("binary"):
            changes.append(Change(self.key, Action.CREATE, "binary", None, self.spec.k3s.version))
        if have is None:
            return [*changes, Change(self.key, Action.CREATE, "service", None, "enabled, active")]
        return [*changes, *self._running(seen, bool(changes))]

    def _running(self, seen: dict[str, Any], changing: bool) -> Iterator[Change]:
        """What of the running system is not as the files say."""
        units = seen.get("units", {})
        unit, mount = units.get(service(self.spec), {}), units.get("var-lib-rancher.mount", {})
        state = f"{unit.get('UnitFileState') or 'not there'}, {unit.get('ActiveState', 'inactive')}"
        yield from updated(self.key, {"service": "enabled, active"}, {"service": state})
        yield from updated(self.key, {"/var/lib/rancher": "active"}, {"/var/lib/rancher": mount.get("ActiveState", "inactive")})
        for name in seen.get("in_etc", []):
            yield Change(self.key, Action.UPDATE, f"{name} in /etc", "another text", "as declared", Risk.RESTART)
        if not changing and state == "enabled, active" and not seen.get("started_with") and not seen.get("in_etc"):
            yield Change(self.key, Action.UPDATE, "runs with", "older files", "these", Risk.RESTART)

    def apply(self) -> list[Change]:
        """Write the files, start k3s or start it anew, and wait until its node is ready."""
        changes = self.plan()
        if changes:
            have = files.found(self.guest.facts(), K3S)
            release = "" if self._seen().get("binary") else self._release()
            self.guest.write(f"{files.write_script(K3S, have, self.files)}{release}sh {_SCRIPT} up >&2\n")
            until_ready(self.guest, self.key, service(self.spec), joins=self.spec.name != self._cluster.first)
            self.guest.write(f"[ ! -f {TREE}/bin/ledger.sh ] || sh {TREE}/bin/ledger.sh deploy >&2 || true\n")
            must_match(self.key, self.plan())
        return changes

    @property
    def _cluster(self) -> Any:
        assert self.spec.k3s_in is not None
        return self.spec.k3s_in

    def _release(self) -> str:
        """Notes what the first start is to fetch. No file of the manifest: it counts once."""
        k3s = self.spec.k3s
        return f"cat >{K3S}/release <<'END'\n{k3s.version} {k3s.url} {k3s.sha256 or ''}\nEND\n"

    def _seen(self) -> dict[str, Any]:
        """What the guest says of k3s; it is asked apart where it has no script yet that says it."""
        told: dict[str, Any] = self.guest.facts().get("k3s") or {}
        if told or not self.guest.exists:
            return told
        answer: dict[str, Any] = json.loads(self.guest.ask(sent("k3s.sh", "observe", parts=[_PART])))
        return answer

    def _refuse(self, seen: dict[str, Any]) -> None:
        name, have = self.spec.name, seen.get("datastore")
        if seen.get("policy") == "missing":
            raise LabError(
                f"{name}: SELinux is enforcing, and the package k3s-selinux is not in the OS: k3s was not touched",
                _POLICY.format(name=name),
                code=Code.K3S_NO_POLICY,
            )
        if seen.get("in_image"):
            raise _other(
                name,
                "the OS image brings one of its own (/usr/bin/k3s), which no upgrade can replace",
                "take it out of the image, and leave k3s-selinux in",
            )
        if self.spec.k3s.role == "agent" and have:
            raise _other(name, f"it was a server, and its datastore ({have}) is there", "declare it a server")
        if have == "etcd" and self._cluster.datastore == "sqlite":
            remedy = f"declare k3s_datastore etcd; zerotoil undo {name} leads to the time before"
            raise _other(name, "its datastore is etcd, which nothing turns into sqlite", remedy)
        if have == "sqlite" and name != self._cluster.first:
            raise _other(name, "it holds a cluster of its own, and joins no other", "declare it first, or take another host")
        token = seen.get("token_sha256")
        if token and self.spec.k3s.token and token != _sha256(self.spec.k3s.token.reveal()):
            raise _other(
                name,
                "its cluster has another token than k3s_token, and k3s would not start with this one",
                f"zerotoil ssh {name} -- sudo k3s token rotate, or declare the one in /var/lib/rancher/k3s/server/token",
            )


@dataclass(frozen=True)
class GoneK3s:
    """k3s on a host that declares none: stopped, its state kept."""

    guest: Guest
    key: str = "k3s that is declared no more"
    gone: ClassVar[bool] = True  # not one of the resources that are as declared

    def plan(self) -> list[Change]:
        """One change where it is still there."""
        kept = "no; its state stays in /var/mnt/data/k3s"
        return [Change("k3s", Action.UPDATE, "runs", "yes", kept, Risk.RESTART)] if was_given(self.guest.facts()) else []

    def apply(self) -> list[Change]:
        """Stop it and its pods, and take away what it was given; the binary stays with its state."""
        changes = self.plan()
        if changes:
            written = files.write_script(K3S, files.found(self.guest.facts(), K3S), [])  # those of the manifest alone
            self.guest.write(f"set -eu\nsh {_SCRIPT} remove >&2\n{written}rm -f {K3S}/release\nrmdir {K3S}/units || true\n")
            must_match(self.key, [*self.plan(), *self._left()])
        return changes

    def _left(self) -> Iterator[Change]:
        """Units of ours that are still there."""
        seen = json.loads(self.guest.ask(sent("k3s.sh", "observe", parts=[_PART])))
        for name in seen["in_etc"]:
            if name.endswith((".service", ".mount")):
                yield Change("k3s", Action.UPDATE, f"{name} in /etc", "there", "removed", Risk.RESTART)


def was_given(facts: Mapping[str, Any]) -> bool:
    """Was k3s given to this guest, and not taken away again?"""
    return files.found(facts, K3S) is not None


def _other(name: str, what: str, remedy: str) -> LabError:
    return LabError(f"{name}: k3s is left alone: {what}", remedy, code=Code.K3S_OTHER_STATE)


def _risk(path: str) -> Risk:
    return Risk.SAFE if path == _SCRIPT else Risk.RESTART


def _sha256(token: str) -> str:
    """Of the password in a token: k3s notes it behind the cluster's CA and a user."""
    return hashlib.sha256(token.strip().rpartition(":")[2].encode()).hexdigest()
