"""What is declared of a host on a tailnet, held against what its guest says. Pure.

Source: ipn/prefs.go and ipn/serve.go of Tailscale, as `tailscale debug prefs` and `tailscale serve status --json` print them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from zerotoil.model.secret import MASK
from zerotoil.model.spec import HostSpec
from zerotoil.model.tailnet import TailnetSpec
from zerotoil.resources.resource import Action, Change, Kind, Notice, created, updated

JOINED = ("Running", "Starting", "NeedsMachineAuth")  # the tailnet knows the machine
SOON = timedelta(days=14)  # before a key ends
_EVERYTHING = ("0.0.0.0/0", "::/0")
_UPSTREAM = "https://controlplane.tailscale.com"
_SYNONYMS = ("", _UPSTREAM, "https://login.tailscale.com")
_FLAGS = {
    "hostname": "hostname", "accept routes": "accept-routes", "accept DNS": "accept-dns", "routes": "advertise-routes",
    "offers an exit node": "advertise-exit-node", "exit node": "exit-node", "SSH": "ssh",
}  # fmt: skip


def wanted(spec: TailnetSpec) -> dict[str, Any]:
    """The preferences that are declared."""
    return {
        "hostname": spec.hostname,
        "accept routes": spec.accept_routes,
        "accept DNS": spec.accept_dns,
        "routes": spec.advertise_routes,
        "offers an exit node": spec.advertise_exit_node,
        "exit node": spec.exit_node or "none",
        "SSH": spec.ssh,
    }


def _had(spec: TailnetSpec, prefs: Mapping[str, Any]) -> dict[str, Any]:
    """The preferences of the guest, in the same terms."""
    routes, names = prefs["routes"], [str(name).lower() for name in prefs["exit_node"]]
    same = any(spec.exit_node in (name, name.partition(".")[0]) for name in names)
    return {
        "hostname": prefs["hostname"],
        "accept routes": prefs["accept_routes"],
        "accept DNS": prefs["accept_dns"],
        "routes": sorted(route for route in routes if route not in _EVERYTHING),
        "offers an exit node": all(route in routes for route in _EVERYTHING),
        "exit node": spec.exit_node if same else ", ".join(names) or "none",
        "SSH": prefs["ssh"],
    }


def preferences(key: str, spec: TailnetSpec, seen: Mapping[str, Any]) -> list[Change]:
    """The preferences that differ."""
    prefs = seen.get("prefs")
    return updated(key, wanted(spec), _had(spec, prefs)) if prefs else created(key, wanted(spec))


def flags(spec: TailnetSpec, fields: Iterable[str]) -> list[str]:
    """The flags of `tailscale set` and `up` for these preferences."""
    return [f"--{_FLAGS[field]}={_text(value)}" for field, value in wanted(spec).items() if field in fields]


def joining(spec: TailnetSpec, have_key: bool) -> list[str]:
    """The flags of the `tailscale up` that joins. A name of an exit node is known only afterwards.

    With a node's key at hand it has ended or was taken away, and nothing is connected that --force-reauth could cut off. What
    nobody declares becomes Tailscale's default: `up` would refuse it otherwise.
    """
    found = ["--reset", "--accept-risk=lose-ssh", *flags(spec, [field for field in _FLAGS if field != "exit node"])]
    if spec.tags:
        found.append(f"--advertise-tags={','.join(spec.tags)}")
    if spec.login_server:
        found.append(f"--login-server={spec.login_server}")
    return [*found, "--force-reauth"] if have_key else found


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(value) if isinstance(value, list) else "" if value == "none" else str(value)


def endpoints(key: str, spec: TailnetSpec, seen: Mapping[str, Any]) -> Iterator[Change]:
    """The HTTPS endpoints that differ, and those that were served for a declaration of before. Others' are left alone."""
    have, served = seen.get("serve") or {}, seen.get("served") or {}
    for port, local in spec.serve.items():
        now, want = have.get(str(port)), target(local)
        if now != want:
            action = Action.UPDATE if now else Action.CREATE
            yield Change(key, action, f"serve {port}", now, want)
    for port, local in served.items():
        now = have.get(port, "")
        if int(port) not in spec.serve and now.partition(",")[0] == target(local):
            yield Change(key, Action.UPDATE, f"serve {port}", now, "off")


def target(local: int | str) -> str:
    """What an endpoint leads to."""
    return f"http://127.0.0.1:{local}"


def notices(spec: HostSpec, seen: Mapping[str, Any], now: datetime | None = None) -> Iterator[Notice]:
    """What waits for a person: another login, an approval, a key that ends. `seen`: what the guest says of the tailnet."""
    state, prefs = seen.get("state"), seen.get("prefs")
    if not spec.tailnet.enabled or state not in JOINED:
        return
    about, anew = f"tailnet of {spec.name}", f"zerotoil ssh {spec.name} -- sudo tailscale logout, then the deploy joins it anew"
    if state == "NeedsMachineAuth":
        yield Notice(about, Kind.UNREADY, "an admin of the tailnet has to approve the machine", "see the admin console, Machines")
    if spec.tailnet.tags and sorted(seen.get("tags") or []) != spec.tailnet.tags and state == "Running":
        change = updated(about, {"tags": spec.tailnet.tags}, {"tags": sorted(seen.get("tags") or [])})
        yield Notice(about, Kind.DEFERRED, f"tags {', '.join(spec.tailnet.tags)} need another login", anew, tuple(change))
    if prefs and _server(prefs["login_server"]) != _server(spec.tailnet.login_server):
        want, have = _server(spec.tailnet.login_server), _server(prefs["login_server"])
        change = updated(about, {"login server": want}, {"login server": have})
        yield Notice(about, Kind.DEFERRED, f"the login server {want} needs another login", anew, tuple(change))
    yield from _expiring(about, seen.get("expiry") or "", now or datetime.now(UTC), anew)


def _server(url: str | None) -> str:
    """Tailscale's own has several names."""
    plain = (url or "").rstrip("/")
    return _UPSTREAM if plain in _SYNONYMS else plain


def _expiring(about: str, expiry: str, now: datetime, anew: str) -> Iterator[Notice]:
    """A tagged machine has a key that does not end."""
    try:
        end = datetime.fromisoformat(expiry)
    except ValueError:
        return
    if end.year > 2000 and end - now < SOON:
        days = (end - now).days
        words = f"ends on {end:%Y-%m-%d}, in {days} days" if days >= 0 else f"ended on {end:%Y-%m-%d}"
        yield Notice(about, Kind.EXPIRING, f"its key {words}", f"switch its expiry off in the admin console, or {anew}")


def without_keys(words: str) -> str:
    """Words of Tailscale without anything that looks like a key."""
    return re.sub(r"\b(tskey|hskey)-[\w?=&-]+", MASK, words)
