"""A stand-in for rpm-ostree, bootc, skopeo and GRUB's environment, on the deployments in $STATE/ostree.json.

The shapes are those of the real ones, as they stand in zincati's tests/fixtures/rpm-ostree-oci-status.json and
rpm-ostree-staged.json, and in bootc's crates/lib/src/fixtures (spec-v1.yaml, spec-staged-rollback.yaml; rollbackQueued and
downloadOnly as bootc's Host schema has them since). What a command does is what its manual says: `rpm-ostree rollback` takes the
deployment before where the booted one is the default, and else the booted one; `cleanup -p` drops all before the booted one;
`upgrade --unchanged-exit-77` exits with 77 where nothing is new.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

STATE = Path(os.environ["STATE"])
FILE = STATE / "ostree.json"
Json = dict[str, Any]


def plain(image: str) -> str:
    """R/N:T of whatever it is called."""
    for prefix in ("ostree-unverified-registry:", "ostree-image-signed:docker://", "docker://"):
        image = image.removeprefix(prefix)
    return image


def asked(now: Json, image: str) -> Json:
    """What the registry has. Exits where it does not answer."""
    if now.get("broken"):
        sys.exit(now["broken"])
    found = now["registry"].get(plain(image))
    if found is None:
        sys.exit(f"error: Fetching manifest: manifest unknown: {plain(image)}")
    return dict(found)


def put_first(now: Json, image: str, found: Json) -> None:
    """Staged, in the place of what was staged before."""
    if now.get("full"):
        sys.exit("error: Importing: Processing layer: No space left on device")
    rest = [each for each in now["deployments"] if not each["staged"]]
    staged = {"checksum": found["checksum"], "version": found["version"], "digest": found.get("deployed", found["digest"])}
    now["deployments"] = [{**staged, "image": image, "staged": True, "booted": False}, *rest]


def stage(now: Json, image: str) -> bool:
    found = asked(now, image)
    if found["checksum"] in [each["checksum"] for each in now["deployments"] if each["booted"] or each["staged"]] and image in [
        each["image"] for each in now["deployments"] if each["booted"] or each["staged"]
    ]:
        return False
    put_first(now, image, found)
    return True


def back(now: Json) -> None:
    there = [each for each in now["deployments"] if not each["staged"]]
    at = next(number for number, each in enumerate(there) if each["booted"])
    if now.get("stuck"):
        sys.exit("error: Bootloader write config: No space left on device")
    if at == 0 and len(there) == 1:
        sys.exit("error: No rollback deployment found")
    take = there[1] if at == 0 else there[at]
    now["deployments"] = [take, *[each for each in there if each is not take]]


def booted(now: Json) -> Json:
    found: Json = next(each for each in now["deployments"] if each["booted"])
    return found


def rpm_status(now: Json) -> Json:
    return {
        "deployments": [
            {
                "unlocked": "none", "requested-local-packages": [], "base-removals": [], "pinned": False, "osname": "fcos",
                "regenerate-initramfs": False, "checksum": each["checksum"], "id": f"fedora-coreos-{each['checksum']}.0",
                "version": each["version"], "requested-packages": now.get("layered", []), "packages": [], "serial": 0,
                "timestamp": 1736192785, "staged": each["staged"], "booted": each["booted"],
                **({"container-image-reference": each["image"], "container-image-reference-digest": each["digest"]}
                   if ":" in each["image"] and each["digest"] else {"origin": each["image"]}),
            }
            for each in now["deployments"]
        ],
        "transaction": None, "cached-update": None, "update-driver": None,
    }  # fmt: skip


def bootc_one(each: Json | None) -> Json | None:
    if each is None:
        return None
    signature = {"signature": "containerPolicy"} if each["image"].startswith("ostree-image-signed:") else {}
    return {
        "image": {
            "image": {"image": plain(each["image"]), "transport": "registry", **signature},
            "version": each["version"], "timestamp": "2025-01-06T19:46:25Z", "imageDigest": each["digest"],
            "architecture": "amd64",
        },
        "cachedUpdate": None, "incompatible": False, "pinned": False, "downloadOnly": False, "store": "ostreeContainer",
        "ostree": {"stateroot": "default", "checksum": each["checksum"], "deploySerial": 0},
    }  # fmt: skip


def bootc_status(now: Json) -> Json:
    there = [each for each in now["deployments"] if not each["staged"]]
    others = [each for each in there if not each["booted"]]
    return {
        "apiVersion": "org.containers.bootc/v1", "kind": "BootcHost", "metadata": {"name": "host"},
        "spec": {"image": {"image": plain(booted(now)["image"]), "transport": "registry"}, "bootOrder": "default"},
        "status": {
            "staged": bootc_one(next((each for each in now["deployments"] if each["staged"]), None)),
            "booted": bootc_one(booted(now)), "rollback": bootc_one(others[0] if others else None),
            "rollbackQueued": not there[0]["booted"], "type": "bootcHost",
        },
    }  # fmt: skip


def rpm_ostree(now: Json, verb: str, *words: str) -> int:
    if verb == "status":
        print(json.dumps(rpm_status(now)))
    elif verb == "upgrade":
        assert words == ("--unchanged-exit-77",), words
        return 0 if stage(now, booted(now)["image"]) else 77
    elif verb == "rebase":
        assert words[0] == "--bypass-driver"
        stage(now, words[1])
    elif verb == "rollback":
        back(now)
    elif verb == "cleanup":
        assert words == ("-p",), words
        at = now["deployments"].index(booted(now))
        now["deployments"] = now["deployments"][at:]
    elif verb in ("install", "uninstall"):
        names = [word for word in words if not word.startswith("-")]
        have = now.setdefault("layered", [])
        now["layered"] = sorted({*have, *names} if verb == "install" else {*have} - {*names})
    elif verb != "apply-live":
        sys.exit(f"error: Unknown command '{verb}'")
    return 0


def bootc(now: Json, verb: str, *words: str) -> int:
    if verb == "status":
        print(json.dumps(bootc_status(now)))
    elif verb == "upgrade":
        if not stage(now, booted(now)["image"]):
            print("No changes in: docker://image => sha256")
    elif verb == "switch":
        prefix = "ostree-image-signed:docker://" if words[0] == "--enforce-container-sigpolicy" else "ostree-unverified-registry:"
        stage(now, prefix + words[-1])
    elif verb == "rollback":
        back(now)
    else:
        sys.exit(f"error: unrecognized subcommand '{verb}'")
    return 0


def skopeo(now: Json, *words: str) -> int:
    print(asked(now, next(word for word in words if word.startswith("docker://")))["digest"])
    return 0


def editenv(now: Json, _file: str, verb: str, *words: str) -> int:
    grub = now.setdefault("grub", {})
    if verb == "list":
        print("# GRUB Environment Block", *[f"{key}={value}" for key, value in grub.items()], sep="\n")
    elif verb == "set":
        grub.update(word.split("=", 1) for word in words)
    elif verb == "unset":
        for word in words:
            grub.pop(word, None)
    return 0


if __name__ == "__main__":
    state = json.loads(FILE.read_text())
    name = sys.argv[1]
    called: Any = {"rpm-ostree": rpm_ostree, "bootc": bootc, "skopeo": skopeo, "grub-editenv": editenv, "grub2-editenv": editenv}[
        name
    ]
    code = called(state, *sys.argv[2:])
    draft = FILE.with_suffix(".new")
    draft.write_text(json.dumps(state))
    draft.replace(FILE)
    sys.exit(code)
