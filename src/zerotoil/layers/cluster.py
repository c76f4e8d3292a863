"""Everything that is declared of one cluster, put together and judged: the owner's manifests, and what keys ask for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from zerotoil.errors import LabError, Several
from zerotoil.layers import manifests
from zerotoil.model.kubernetes.manifests import ManifestProblems, across
from zerotoil.model.kubernetes.objects import Object, managed
from zerotoil.model.spec import HostSpec
from zerotoil.render.kubernetes import charts, declared, upgrades
from zerotoil.resources.cluster import ClusterObjects
from zerotoil.resources.guest import Guest
from zerotoil.resources.resource import Kind, Notice


@dataclass(frozen=True)
class JudgedCluster:
    """The objects of a cluster, each with our label, in the order in which they are applied; and what is wrong."""

    objects: tuple[Object, ...]
    problems: tuple[LabError, ...]
    warnings: tuple[Notice, ...] = ()
    files: int = 0  # manifests that were read


def judge(spec: HostSpec, root: Path, offline: bool = False) -> JudgedCluster:
    """Read the objects of a host's cluster, and find everything that is wrong with them. `offline`: secrets are not read."""
    read = manifests.read(spec, root)
    problems = read.problems
    own, unfit = charts.with_policies(spec, read.objects)
    made: list[Object] = []
    for part in (declared.secrets, charts.keel, charts.tailscale):
        try:
            made += part(spec, offline)
        except LabError as error:
            problems.append(error)
    objects = [*own, *upgrades.objects(spec), *declared.storage(spec), *made]
    found = [*read.findings, *unfit, *across(objects)]
    problems += [ManifestProblems([finding]) for finding in found]
    owner = managed(spec.lab.name, spec.k3s.cluster)
    labelled = tuple(one.labelled(owner) for one in sorted(objects, key=_rank))
    return JudgedCluster(labelled, tuple(problems), tuple(_warnings(spec, own)), read.files)


def _warnings(spec: HostSpec, objects: list[Object]) -> Iterator[Notice]:
    for one, what in charts.risky(objects):
        yield Notice(one.title, Kind.RISKY, what, f"declare another policy, see {one.where}")
    if spec.upgrades.enabled and spec.upgrades.moves_on:
        channel = spec.upgrades.channel
        what = f"upgrades_channel {channel} goes on to the next minor release by itself, and may skip one after a long pause"
        yield Notice("Plan system-upgrade/server-plan", Kind.RISKY, what, "follow a minor release, such as v1.36")


def resources(spec: HostSpec, judged: JudgedCluster, guest: Guest) -> list[ClusterObjects]:
    """The cluster's objects as one resource. Raises LabError with everything that is wrong: then nothing is touched."""
    if judged.problems:
        raise Several(judged.problems)
    owner = managed(spec.lab.name, spec.k3s.cluster)
    made = ClusterObjects(
        guest,
        spec.k3s.cluster,
        judged.objects,
        owner,
        spec.cluster.timeout,
        spec.upgrades.enabled,
        spec.upgrades.minor,
        judged.warnings,
        may_delete=judged.files > 0,
        uninstall=spec.cluster.uninstall,
    )
    return [made]


_FIRST = ("CustomResourceDefinition", "Namespace", "PriorityClass", "StorageClass", "ServiceAccount", "Secret", "ConfigMap")


def _rank(one: Object) -> int:
    """What others name comes before them; what is left is applied in the order of the files."""
    return _FIRST.index(one.kind) if one.kind in _FIRST else len(_FIRST)
