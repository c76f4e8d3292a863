#!/usr/bin/env python3
"""A STAND-IN for tailscale and the tailscaled behind it: keeps all it knows as JSON where tailscaled has its state.

It takes the flags that zerotoil gives and refuses all others. From the documentation and the source of Tailscale's CLI; no
network, no tailnet. The files in $STATE tell it what the other side is like: `keys` (those that are valid), `hang` (commands that
never end), `https-off`, `unapproved`, `ended`, `stubborn` (says yes and changes nothing), `expiry`.
"""

import json
import os
import sys
import time
from pathlib import Path

STATE = Path(os.environ["STATE"])
ROOT = Path(os.environ["ZEROTOIL_ROOT"])
FILE = ROOT / "var/lib/tailscale/tailscaled.state"
FLAGS = {
    "accept-dns": "CorpDNS", "accept-routes": "RouteAll", "advertise-exit-node": "", "advertise-routes": "", "exit-node": "",
    "hostname": "Hostname", "ssh": "RunSSH",
}  # fmt: skip
ONLY_UP = {"auth-key", "timeout", "reset", "accept-risk", "advertise-tags", "login-server", "force-reauth"}
EVERYTHING = ["0.0.0.0/0", "::/0"]
NAS = {"ID": "nNas", "HostName": "nas", "DNSName": "nas.tail1.ts.net.", "TailscaleIPs": ["100.64.0.7"], "ExitNodeOption": True}
PREFS = {
    "ControlURL": "https://controlplane.tailscale.com", "RouteAll": False, "ExitNodeID": "", "ExitNodeIP": "", "CorpDNS": True,
    "RunSSH": False, "WantRunning": False, "ShieldsUp": False, "AdvertiseTags": None, "Hostname": "", "AdvertiseRoutes": None,
}  # fmt: skip


def fail(words: str, code: int = 1) -> None:
    print(words, file=sys.stderr)
    sys.exit(code)


def load() -> dict:
    if not (STATE / "active-tailscaled.service").exists():
        fail("failed to connect to local tailscaled; it doesn't appear to be running")
    if FILE.exists():
        return json.loads(FILE.read_text())
    return {"machine": os.urandom(8).hex(), "node": "", "tags": [], "prefs": dict(PREFS), "serve": {}}


def save(state: dict) -> None:
    if not (STATE / "stubborn").exists():
        FILE.parent.mkdir(parents=True, exist_ok=True)
        new = FILE.with_suffix(".new")
        new.write_text(json.dumps(state))
        new.rename(FILE)


def flags(words: list[str], known: set[str]) -> dict[str, str]:
    found = {}
    for word in words:
        name, _, value = word.removeprefix("--").partition("=")
        if not word.startswith("--") or name not in known:
            fail(f"flag provided but not defined: -{name}", 2)
        found[name] = value
    return found


def set_prefs(prefs: dict, given: dict[str, str]) -> None:
    for name, pref in FLAGS.items():
        if name in given and pref:
            prefs[pref] = given[name] if pref == "Hostname" else given[name] == "true"
    routes = [route for route in prefs["AdvertiseRoutes"] or [] if route not in EVERYTHING]
    out = bool(set(EVERYTHING) & set(prefs["AdvertiseRoutes"] or []))
    if "advertise-routes" in given:
        routes = [route for route in given["advertise-routes"].split(",") if route]
    if "advertise-exit-node" in given:
        out = given["advertise-exit-node"] == "true"
    prefs["AdvertiseRoutes"] = [*routes, *(EVERYTHING if out else [])] or None
    if "exit-node" in given:
        node = given["exit-node"]
        if node and node not in ("nas", "nas.tail1.ts.net", "100.64.0.7"):
            fail(f'invalid value "{node}" for --exit-node; must be IP or unique node name')
        prefs["ExitNodeID"] = "nNas" if node else ""


def key_of(given: dict[str, str]) -> str:
    path = Path(given["auth-key"].removeprefix("file:"))
    if not given["auth-key"].startswith("file:") or path.stat().st_mode & 0o777 != 0o600:
        fail("the stand-in takes a key by a file of mode 0600 only")
    return path.read_text().strip()


def up(state: dict, words: list[str]) -> None:
    prefs = state["prefs"]
    if not words:
        if not state["node"]:
            fail("To authenticate, visit: https://login.tailscale.com/a/1")
        prefs["WantRunning"] = True
        return save(state)
    given = flags(words, ONLY_UP | set(FLAGS) - {"exit-node"})
    if state["node"] and "force-reauth" not in given:
        fail("the stand-in logs in anew only with --force-reauth")
    if prefs != PREFS and "reset" not in given:
        fail("Error: changing settings via 'tailscale up' requires mentioning all non-default flags.")
    key = key_of(given)
    plain, _, parameters = key.partition("?")
    if plain.startswith("tskey-client-") and parameters != "ephemeral=false&preauthorized=true":
        fail("the stand-in would make an ephemeral machine of it")
    keys = (STATE / "keys").read_text().split() if (STATE / "keys").exists() else []
    if plain not in keys:
        fail(f"backend error: invalid key: unable to validate API key {plain} ({plain})")
    (STATE / "keys").write_text("\n".join(one for one in keys if one != plain))  # used up
    prefs.clear()
    prefs.update(PREFS, WantRunning=True, ControlURL=given.get("login-server", PREFS["ControlURL"]))
    set_prefs(prefs, given)
    prefs["AdvertiseTags"] = given["advertise-tags"].split(",") if "advertise-tags" in given else None
    state["node"], state["tags"] = os.urandom(8).hex(), prefs["AdvertiseTags"] or []
    (STATE / "joined").open("a").write(state["node"] + "\n")
    save(state)
    if (STATE / "unapproved").exists():
        print("To approve your machine, visit (as admin): https://login.tailscale.com/admin", file=sys.stderr)
    return None


def backend(state: dict) -> str:
    if not state["node"] or (STATE / "ended").exists():
        return "NeedsLogin"
    if not state["prefs"]["WantRunning"]:
        return "Stopped"
    return "NeedsMachineAuth" if (STATE / "unapproved").exists() else "Running"


def status(state: dict, words: list[str]) -> None:
    given = flags(words, {"json", "peers"})
    me = {"HostName": state["prefs"]["Hostname"], "DNSName": "matrix.tail1.ts.net."}
    tags = state["tags"]
    me |= {"Tags": tags} if tags else {"KeyExpiry": (STATE / "expiry").read_text()} if (STATE / "expiry").exists() else {}
    peers = {"nodekey:1": NAS} if given.get("peers", "true") == "true" else {}
    print(json.dumps({"BackendState": backend(state), "HaveNodeKey": bool(state["node"]), "Self": me, "Peer": peers}))


def serve(state: dict, words: list[str]) -> None:
    if words == ["status", "--json"]:
        return print(json.dumps(state["serve"]))
    config, end = state["serve"], words.pop()
    given = flags(words, {"bg", "https", "set-path"})
    port, host = given["https"], f"matrix.tail1.ts.net:{given['https']}"
    handlers = config.setdefault("Web", {}).setdefault(host, {"Handlers": {}})["Handlers"]
    if end == "off":
        if given.get("set-path") != "/":
            fail("the stand-in would end all paths of that port")
        if "/" not in handlers:
            fail("error: handler does not exist")
        del handlers["/"]
    elif (STATE / "https-off").exists():
        print(
            "Serve is not enabled on your tailnet.\nTo enable, visit:\n\n\thttps://login.tailscale.com/f/serve?node=1", flush=True
        )
        time.sleep(60)
    elif "bg" not in given or config.get("TCP", {}).get(port, {}).get("TCPForward"):
        fail(f'want to serve "https" but port is already serving "tcp" for "machine" ({port})')
    else:
        handlers["/"] = {"Proxy": end}
        config.get("AllowFunnel", {}).pop(host, None)
    if not handlers:
        del config["Web"][host]
    config.setdefault("TCP", {})[port] = {"HTTPS": True}
    return save(state)


def main(words: list[str]) -> None:
    with (STATE / "arguments").open("a") as seen:
        seen.write(json.dumps(words) + "\n")
    (STATE / "environment").write_text(json.dumps(dict(os.environ)))
    if (STATE / "hang").exists() and words[0] in (STATE / "hang").read_text().split():
        time.sleep(60)
    state, (verb, *rest) = load(), words
    if verb == "up":
        up(state, rest)
    elif verb == "set":
        set_prefs(state["prefs"], flags(rest, {*FLAGS, "accept-risk"}))
        save(state)
    elif verb == "down":
        flags(rest, {"accept-risk"})
        state["prefs"]["WantRunning"] = False
        save(state)
    elif words == ["debug", "prefs"]:
        print(json.dumps(state["prefs"] | {"Config": {"PrivateNodeKey": "privkey:s3cret"}}))
    elif verb == "status":
        status(state, rest)
    elif verb == "serve":
        serve(state, rest)
    else:
        fail(f"tailscale: unknown subcommand: {verb}", 2)


if __name__ == "__main__":
    main(sys.argv[1:])
