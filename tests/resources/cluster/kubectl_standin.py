"""A STAND-IN for `k3s kubectl` on a JSON file: as much of an API server as kubectl.sh asks for. tests/cluster has the real one.

kubectl_standin.py STATE kubectl VERB …
"""

from __future__ import annotations

import copy
import json
import sys
from pathlib import Path
from typing import Any

CORE = {"ConfigMap", "Secret", "Service", "ServiceAccount", "Namespace", "Node", "Pod", "PersistentVolumeClaim"}
CLUSTER = {"Namespace", "Node", "CustomResourceDefinition", "StorageClass", "ClusterRole", "ClusterRoleBinding"}
KINDS = {
    **{f"v1 {kind}": kind not in CLUSTER for kind in CORE},
    "apps/v1 Deployment": True, "batch/v1 Job": True, "helm.cattle.io/v1 HelmChart": True,
    "upgrade.cattle.io/v1 Plan": True, "networking.k8s.io/v1 Ingress": True,
    "apiextensions.k8s.io/v1 CustomResourceDefinition": False, "storage.k8s.io/v1 StorageClass": False,
    "rbac.authorization.k8s.io/v1 ClusterRole": False, "rbac.authorization.k8s.io/v1 ClusterRoleBinding": False,
}  # fmt: skip


class Refused(Exception):
    """What kubectl says on stderr."""


class State:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.data: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {"objects": {}, "applied": {}, "calls": []}

    def save(self) -> None:
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps(self.data))
        new.rename(self.path)

    @property
    def kinds(self) -> dict[str, bool]:
        found = dict(KINDS)
        for one in self.data["objects"].values():
            if one["kind"] == "CustomResourceDefinition":
                spec = one["spec"]
                found[f"{spec['group']}/v1 {spec['names']['kind']}"] = spec["scope"] == "Namespaced"
        return found

    def key(self, body: dict[str, Any]) -> str:
        kind = f"{body['apiVersion']} {body['kind']}"
        if kind not in self.kinds:
            raise Refused(
                f'resource mapping not found for name: "{body["metadata"]["name"]}": no matches for kind "{body["kind"]}"'
            )
        space = body["metadata"].get("namespace", "default") if self.kinds[kind] else ""
        return f"{kind} {space} {body['metadata']['name']}"

    def planned(self, body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        key = self.key(body)
        space = key.split(" ")[2]
        if space and f"v1 Namespace  {space}" not in self.data["objects"] and space not in ("default", "kube-system"):
            raise Refused(f'Error from server (NotFound): error when creating "STDIN": namespaces "{space}" not found')
        if "typo" in body:
            raise Refused("error: failed to create typed patch object (x): .typo: field not declared in schema")
        made = copy.deepcopy(self.data["objects"].get(key, {}))
        remove(made, self.data["applied"].get(key, {}), body)
        merge(made, body)
        if space:
            made["metadata"]["namespace"] = space
        fields = [{"manager": "zerotoil", "operation": "Apply", "time": "2026-11-26T10:00:00Z", "fieldsV1": fields_of(body)}]
        others = [entry for entry in made["metadata"].get("managedFields", []) if entry["manager"] != "zerotoil"]
        made["metadata"].update(managedFields=fields + others, uid="1", resourceVersion="1", generation=1)
        return key, made


def fields_of(body: Any) -> dict[str, Any]:
    return {f"f:{key}": fields_of(value) for key, value in body.items()} if isinstance(body, dict) else {}


def merge(into: dict[str, Any], body: dict[str, Any]) -> None:
    for key, value in body.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = copy.deepcopy(value)


def remove(made: dict[str, Any], before: dict[str, Any], now: dict[str, Any]) -> None:
    for key, value in before.items():
        if key not in now:
            made.pop(key, None)
        elif isinstance(value, dict) and isinstance(now[key], dict) and isinstance(made.get(key), dict):
            remove(made[key], value, now[key])


def run(state: State, words: list[str]) -> Any:
    state.data["calls"].append(" ".join(words))
    if state.data.get("down"):
        raise Refused("The connection to the server 127.0.0.1:6443 was refused - did you specify the right host or port?")
    return VERBS[words[0]](state, words)


def given(words: list[str]) -> list[dict[str, Any]]:
    file = json.loads(Path(words[words.index("-f") + 1]).read_text()) if "-f" in words else {"items": []}
    found: list[dict[str, Any]] = file.get("items", [file])
    return found


def api_resources(state: State, _words: list[str]) -> str:
    rows = [(*kind.split(), str(space).lower()) for kind, space in state.kinds.items()]
    return "\n".join(f"{kind.lower()}s {api} {space} {kind}" for api, kind, space in rows)


def apply(state: State, words: list[str]) -> Any:
    bodies = given(words)
    made = [state.planned(body) for body in bodies]
    if "--dry-run=server" not in words:
        state.data["objects"].update(made)
        state.data["applied"].update({key: body for (key, _), body in zip(made, bodies, strict=True)})
    return listed([body for _, body in made])


def delete(state: State, words: list[str]) -> str:
    for body in given(words):
        state.data["objects"].pop(state.key(body), None)
    if words[1] == "clusterrolebinding":
        state.data["objects"].pop(f"rbac.authorization.k8s.io/v1 ClusterRoleBinding  {words[2]}")
    return ""


def get(state: State, words: list[str]) -> Any:
    objects = state.data["objects"]
    if words[1] == "--raw":
        return "ok"
    if "-f" in words:
        return listed([objects[state.key(body)] for body in given(words) if state.key(body) in objects])
    if words[1] == "pods":
        return {"items": state.data.get("pods", [])}
    if len(words) > 2 and not words[2].startswith("-"):  # one by its name
        key = f"v1 {words[1].capitalize()} {words[words.index('-n') + 1]} {words[2]}"
        return objects.get(key, "")
    kinds = {word.split(".")[0].rstrip("s").lower() for word in words[1].split(",")}
    found = [one for one in [*objects.values(), default()] if one["kind"].lower() in kinds]
    if "--selector" in words:
        label = words[words.index("--selector") + 1].partition("=")[2]
        found = [one for one in found if one["metadata"].get("labels", {}).get("zerotoil/managed") == label]
    return {"kind": "List", "items": found}


VERBS = {"api-resources": api_resources, "apply": apply, "delete": delete, "get": get, "wait": lambda *_: "met"}


def listed(items: list[Any]) -> Any:
    return items[0] if len(items) == 1 else {"kind": "List", "apiVersion": "v1", "items": items}


def default() -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}}


def main() -> int:
    state = State(Path(sys.argv[1]))
    try:
        said = run(state, sys.argv[3:])
        print(said if isinstance(said, str) else json.dumps(said), end="" if said == "" else "\n")
        return 0
    except Refused as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        if sys.argv[3] in ("apply", "delete") and "--dry-run=server" not in sys.argv:  # readers run side by side
            state.save()


if __name__ == "__main__":
    sys.exit(main())
