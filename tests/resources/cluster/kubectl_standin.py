"""A STAND-IN for `k3s kubectl` on a JSON file: as much of an API server as kubectl.sh asks for. tests/cluster has the real one.

kubectl_standin.py STATE kubectl VERB …
"""

from __future__ import annotations

import copy
import json
import sys
from pathlib import Path
from typing import Any

CORE = {"ConfigMap", "Secret", "Service", "ServiceAccount", "Namespace", "Node", "Pod"}
CLUSTER = {"Namespace", "Node", "CustomResourceDefinition", "StorageClass", "ClusterRole", "ClusterRoleBinding"}
KINDS = {
    **{f"v1 {kind}": kind not in CLUSTER for kind in CORE},
    "apps/v1 Deployment": True, "batch/v1 Job": True, "helm.cattle.io/v1 HelmChart": True,
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
    verb, text = words[0], " ".join(words)
    state.data["calls"].append(text)
    if state.data.get("down"):
        raise Refused("The connection to the server 127.0.0.1:6443 was refused - did you specify the right host or port?")
    objects = state.data["objects"]
    if verb == "api-resources":
        return "\n".join(
            f"{kind.split()[1].lower()}s {kind.split()[0]} {str(ns).lower()} {kind.split()[1]}"
            for kind, ns in state.kinds.items()
        )
    file = json.loads(Path(words[words.index("-f") + 1]).read_text()) if "-f" in words else {"items": []}
    bodies = file.get("items", [file])
    if verb == "apply":
        made = [state.planned(body) for body in bodies]
        if "--dry-run=server" not in words:
            objects.update(made)
            state.data["applied"].update({key: body for (key, _), body in zip(made, bodies, strict=True)})
        return listed([body for _, body in made])
    if verb == "delete":
        for body in bodies:
            objects.pop(state.key(body), None)
        if words[1] == "clusterrolebinding":
            objects.pop(f"rbac.authorization.k8s.io/v1 ClusterRoleBinding  {words[2]}")
        return ""
    if verb == "wait" or words[1] == "--raw":
        return "ok"
    if "-f" in words:
        return listed([objects[state.key(body)] for body in bodies if state.key(body) in objects])
    if words[1] == "namespaces,nodes":
        return listed([one for one in objects.values() if one["kind"] in ("Namespace", "Node")] + [default()])
    if words[1] == "pods":
        return {"items": state.data.get("pods", [])}
    kinds = {word.split(".")[0] for word in words[1].split(",")}
    label = next((word.partition("=")[2].removeprefix("zerotoil/managed=") for word in words if "managed=" in word), "")
    if "--selector" in words:
        label = words[words.index("--selector") + 1].partition("=")[2]
    return {"kind": "List", "items": [
        one for one in objects.values() if one["kind"] in kinds and one["metadata"].get("labels", {}).get("zerotoil/managed") == label
    ]}  # fmt: skip


def listed(items: list[Any]) -> Any:
    return items[0] if len(items) == 1 else {"kind": "List", "apiVersion": "v1", "items": items}


def default() -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}}


def main() -> int:
    state = State(Path(sys.argv[1]))
    try:
        said = run(state, sys.argv[3:])
        print(said if isinstance(said, str) else json.dumps(said))
        return 0
    except Refused as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        if sys.argv[3] in ("apply", "delete") and "--dry-run=server" not in sys.argv:  # readers run side by side
            state.save()


if __name__ == "__main__":
    sys.exit(main())
