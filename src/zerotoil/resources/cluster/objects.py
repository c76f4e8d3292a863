"""The objects of a cluster: declared, applied server-side, waited for, and taken away when they are declared no more.

One question reads the live objects and dry-runs the declared ones; the fields that would change are the plan. What others
own in objects of ours, and what is not ready, differs and is no drift: `notices` says it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from zerotoil.error_codes import Code
from zerotoil.errors import LabError, Several
from zerotoil.model.kubernetes.objects import Object
from zerotoil.resources.cluster import kubectl
from zerotoil.resources.cluster.diff import differences, foreign
from zerotoil.resources.cluster.endpoints import endpoint
from zerotoil.resources.cluster.prune import Extra, named
from zerotoil.resources.cluster.ready import until_ready
from zerotoil.resources.cluster.versions import refuse_upgrade
from zerotoil.resources.guest.guest import Guest
from zerotoil.resources.resource import Action, Change, Kind, Notice, Risk, must_match

_NO_KIND = "the cluster knows no kind {kind} of {api}; is its definition in cluster/, or a chart that brings it?"
_NO_SPACE = "there is no namespace {space}; declare it in cluster/"
_REMEDY = "mend the manifest; the other objects are applied"


@dataclass(frozen=True)
class ClusterObjects:
    """All objects of one cluster. `owner`: the label's value; `target`: the minor release that its Plans lead to.

    `may_delete`: were the owner's manifests seen at all? A folder that is not there today takes nothing away. `uninstall`: charts
    that may go with their claims.
    """

    guest: Guest
    cluster: str
    objects: Sequence[Object]
    owner: str
    timeout: int = 300
    upgrades: bool = False
    target: tuple[int, int] | None = None
    warnings: Sequence[Notice] = ()
    may_delete: bool = True
    uninstall: Sequence[str] = ()
    _seen: dict[str, Any] = field(default_factory=dict, compare=False)

    @property
    def key(self) -> str:
        """The natural key in words."""
        return f"objects of the cluster {self.cluster}"

    def plan(self) -> list[Change]:
        """The changes that are needed now. Raises LabError for all objects that the cluster would refuse."""
        changes, refused = self._planned()
        if refused:
            raise Several(refused)
        return changes

    def _planned(self) -> tuple[list[Change], list[LabError]]:
        """The changes, and what the cluster would refuse."""
        if not self.guest.exists:
            return [_created(one) for one in self.objects], []
        if not self.objects and not kubectl.is_used(self.guest):
            return [], []
        seen = self._look()
        if seen.get("absent"):
            return [_created(one) for one in self.objects], []
        if self.upgrades:
            refuse_upgrade(self.guest.name, seen, self.target)
        refused = [self._refused(item["index"], item["refused"]) for item in seen["items"] if item["refused"]]
        changes = [change for item in seen["items"] for change in _changes(self.objects[item["index"]], item)]
        return changes + self._extra(seen).changes(), refused

    def apply(self) -> list[Change]:
        """Apply what differs, wait until it is ready, and read back. Nothing is taken away until all has been applied."""
        changes, refused = self._planned()
        if changes or refused:
            seen = self._look()
            if seen.get("absent"):
                what = f"{self.guest.name}: there is no k3s, through which its cluster is reached"
                raise LabError(what, "run the deploy: it installs k3s first", code=Code.CLUSTER_SILENT)
            wanted, gone = [item["index"] for item in seen["items"] if _differs(item)], self._extra(seen).bare()
            left = self._push(wanted, gone)
            until_ready(self.guest, [self.objects[index] for index in wanted if index not in left], self.timeout)
            if left:  # a chart has brought their kinds by now, or nothing will
                still = self._push(sorted(left), gone)
                if still:
                    raise Several([self._unknown(index, state) for index, state in still.items()])
                until_ready(self.guest, [self.objects[index] for index in left], self.timeout)
            must_match(self.key, self.plan())
        return changes

    def notices(self) -> Iterator[Notice]:
        """What the last plan saw that is no drift, and what is declared and may hurt."""
        yield from self.warnings
        answer = self._seen.get("answer", {})
        yield from Extra(answer.get("extra", []), self.uninstall).notices()
        names = {item["index"]: item.get("name") for item in answer.get("items", [])}
        found = (endpoint(one, names.get(index), self.guest.name) for index, one in enumerate(self.objects))
        yield from filter(None, found)
        for item in answer.get("items", []):
            one = self.objects[item["index"]]
            strangers: dict[str, list[str]] = {}
            for who, path in foreign(item.get("fields") or []):
                strangers.setdefault(who, []).append(path)
            if item.get("unready"):
                yield Notice(one.title, Kind.UNREADY, item["unready"], self._where_to_look(one))
            for who, paths in strangers.items():
                more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
                what = f"{who} has set {', '.join(paths[:3])}{more}, which {one.where} does not name"
                yield Notice(
                    one.title, Kind.FOREIGN, what, f"declare it in {one.where.partition(':')[0]}, or take it out by hand"
                )

    def _where_to_look(self, one: Object) -> str:
        if one.kind == "Plan":
            return f"zerotoil k3s status {self.guest.name}"
        return f"zerotoil ssh {self.guest.name} -- sudo k3s kubectl -n {one.namespace or 'default'} get pods"

    def _look(self) -> dict[str, Any]:
        """The cluster's answer, asked again after every write."""
        if self._seen.get("writes") != self.guest.writes:
            answer = kubectl.look(self.guest, [one.body for one in self.objects], self.owner)
            self._seen.update(answer=answer, writes=self.guest.writes)
        found: dict[str, Any] = self._seen["answer"]
        return found

    def _extra(self, seen: dict[str, Any]) -> Extra:
        """What is there and declared no more. Raises LabError where it may be declared in files that were not seen."""
        extra = Extra(seen["extra"], self.uninstall)
        if extra.stubs and not self.may_delete:
            names = [named(stub) for stub in extra.stubs]
            shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
            what = f"{self.guest.name}: cluster/ has no manifest for {self.cluster}, and {shown} would be taken away"
            remedy = "bring the folder back; if it is meant, put a file there that holds only a comment"
            raise LabError(what, remedy, code=Code.MANIFEST_FILE)
        return extra

    def _push(self, wanted: Sequence[int], extra: Sequence[dict[str, Any]]) -> dict[int, str]:
        """Apply these; those that cannot be applied yet, and why. Raises LabError for what the cluster refuses."""
        answer = kubectl.apply(self.guest, [self.objects[index].body for index in wanted], extra)
        if answer["refused"]:
            found = answer["refused"]
            raise Several(
                [self._refused(None if item["index"] is None else wanted[item["index"]], item["why"]) for item in found]
            )
        return {wanted[item["index"]]: item["state"] for item in answer["unknown"]}

    def _refused(self, index: int | None, why: str) -> LabError:
        host, said = self.guest.name, kubectl.plain(why)
        if index is None:
            return LabError(f"{host}: what is declared no more stays ({said})", "run again", code=Code.OBJECT_REFUSED)
        one = self.objects[index]
        return LabError(f"{host}: {one.where}: {one.title}: {said}", _REMEDY, code=Code.OBJECT_REFUSED)

    def _unknown(self, index: int, state: str) -> LabError:
        one = self.objects[index]
        text = (_NO_KIND if state == "kind" else _NO_SPACE).format(kind=one.kind, api=one.api, space=one.namespace or "default")
        return LabError(f"{self.guest.name}: {one.where}: {one.title}: {text}", _REMEDY, code=Code.OBJECT_REFUSED)


def _differs(item: dict[str, Any]) -> bool:
    return bool(not item["exists"] or item["state"] != "known" or item["refused"] or "planned" in item)


def _changes(one: Object, item: dict[str, Any]) -> Iterator[Change]:
    if not item["exists"]:
        yield _created(one)
    elif item["state"] == "superseded":
        name = item["live"]["roleRef"]["name"]
        yield Change(one.title, Action.UPDATE, "roleRef", name, f"{one.body['roleRef']['name']} (made again)")
    elif "planned" in item:
        risk = Risk.RESTART if "template" in (one.body.get("spec") or {}) else Risk.SAFE
        for path, before, after in differences(item["live"], item["planned"]):
            restarts = risk if path.startswith("spec.template.") else Risk.SAFE
            yield Change(one.title, Action.UPDATE, path, before, after, restarts)


def _created(one: Object) -> Change:
    return Change(one.title, Action.CREATE, "manifest", None, one.shown())
