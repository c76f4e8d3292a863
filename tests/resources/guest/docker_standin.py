"""A stand-in for Docker, its program and its API by curl, for the logic of our guest scripts; the real one is in the lab.

State in $ZEROTOIL_STATE/docker.json: `registry` (image -> id, digest, broken), `containers` (name -> what inspect would say).
"""

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import yaml

STATE = Path(os.environ["ZEROTOIL_STATE"]) / "docker.json"


def main(arguments: list[str]) -> int:
    state = json.loads(STATE.read_text())
    if arguments[0] == "curl":
        return api(state, arguments[1:])
    if arguments[0] != "compose":
        raise SystemExit(f"docker stand-in: {arguments}")
    code = compose(state, arguments[1:])
    STATE.write_text(json.dumps(state))
    return code


def api(state: dict[str, Any], arguments: list[str]) -> int:
    """What curl prints of Docker's API: a JSON document for each URL of a {glob}."""
    url = next(argument for argument in arguments if argument.startswith("http://docker/"))
    if url.startswith("http://docker/containers/json"):
        given = next((argument for argument in arguments if argument.startswith("filters=")), "=")
        project = given.partition("project=")[2].partition('"')[0]
        print(json.dumps([{"Id": key} for key in state["containers"] if key.startswith(f"{project}-") or not project]))
        return 0
    kind, wanted, _ = url.removeprefix("http://docker/").split("/")
    names = wanted.strip("{}").split(",")
    known = state["containers"] if kind == "containers" else {image["id"]: image for image in state["registry"].values()}
    code = 0
    for name in names:
        code = 0 if name in known else 22  # curl --fail: that of the last one
        if code and "--fail-early" in arguments:
            return code
        if code:
            continue
        found = known[name]
        print(json.dumps(found if kind == "containers" else {"Id": found["id"], "RepoDigests": [found["digest"]]}))
    return code


def compose(state: dict[str, Any], arguments: list[str]) -> int:
    project, files = "", []
    while arguments[0].startswith("--"):
        if arguments[0] == "--project-name":
            project = arguments[1]
        else:
            files.append(arguments[1])
        arguments = arguments[2:]
    services: dict[str, dict[str, Any]] = {}
    for file in files:
        for service, content in (yaml.safe_load(Path(file).read_text()).get("services") or {}).items():
            services.setdefault(service, {}).update(content)
    if arguments[0] == "config":
        print("\n".join(f"{service} {digest(content)}" for service, content in services.items()))
    elif arguments[0] == "up":
        return up(state, project, services, arguments[1:])
    elif arguments[0] in ("stop", "down"):
        state["containers"] = {k: c for k, c in state["containers"].items() if not k.startswith(f"{project}-")}
    return 0


def digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def up(state: dict[str, Any], project: str, services: dict[str, dict[str, Any]], options: list[str]) -> int:
    """`--no-recreate` leaves what is there; services that are named are the only ones that are looked at."""
    there = state["containers"]
    named = [option for option in options if not option.startswith("--")]
    wanted = {service: content for service, content in services.items() if not named or service in named}
    if "--no-recreate" in options:
        wanted = {service: content for service, content in wanted.items() if f"{project}-{service}-1" not in there}
    missing = [content["image"] for content in wanted.values() if content["image"] not in state["registry"]]
    if missing:
        print(f"Error: no such image {missing}", file=sys.stderr)
        return 1
    for service, content in wanted.items():
        there[f"{project}-{service}-1"] = container(project, service, content, state["registry"][content["image"]])
    return 0


def container(project: str, service: str, content: dict[str, Any], image: dict[str, Any]) -> dict[str, Any]:
    labels = {"project": project, "service": service, "config-hash": digest(content)}
    return {
        "Name": f"/{project}-{service}-1",
        "Image": image["id"],
        "State": {"Status": "running", "ExitCode": 0, "Health": {"Status": "unhealthy" if image["broken"] else "healthy"}},
        "HostConfig": {"RestartPolicy": {"Name": "always"}},
        "Config": {"Image": content["image"], "Labels": {f"com.docker.compose.{key}": value for key, value in labels.items()}},
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
