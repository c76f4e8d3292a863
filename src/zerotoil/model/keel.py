"""What keeps images in a cluster fresh: Keel, and the policy of each workload. Pure.

Sources: keel.sh docs (policies, annotations); chart keel-hq/keel 1.2.0. Keel polls every minute where nobody says otherwise,
which registries limit; it tells of what it applied, not of what became of it.
"""

from __future__ import annotations

from pydantic import Field, field_validator

from zerotoil.model.kubernetes.names import ChartRepo, ObjectName, is_name
from zerotoil.model.section import Section
from zerotoil.model.units import Bool, Seconds

_LEAST = 3600
POLICIES = ("patch", "minor", "major", "major+approve", "minor+approve", "patch+approve", "force+tag", "never")


class KeelSpec(Section):
    """Images in the cluster kept fresh (Keel); the first server's keys count."""

    enabled: Bool = Field(False, description="Install Keel")
    workloads: dict[str, str] = Field(
        {}, description='Policy by workload: {"web/blog": "minor", "web/db": "major+approve", "web/site": "force+tag"}'
    )
    poll: Seconds = Field(3600, description="How often registries are asked; at most once an hour")
    version: str = Field("1.2.0", description="Version of the chart")
    repo: ChartRepo = Field("https://keel-hq.github.io/keel/", description="Where the chart is: upstream, or a mirror")
    storage_class: ObjectName = Field("local-path", description="What keeps its approvals and its log")

    @field_validator("workloads")
    @classmethod
    def _policies(cls, workloads: dict[str, str]) -> dict[str, str]:
        for name, policy in workloads.items():
            namespace, _, workload = name.partition("/")
            if not (is_name(namespace) and is_name(workload)):
                raise ValueError(f"{name!r} is no workload; write NAMESPACE/NAME, for instance web/blog")
            if policy == "force":
                raise ValueError(f"{name}: force alone takes any tag that is pushed, also an older one; write force+tag")
            if policy not in POLICIES:
                raise ValueError(f"{name}: {policy!r} is no policy; it is one of {', '.join(POLICIES)}")
        return workloads

    @field_validator("poll")
    @classmethod
    def _not_too_often(cls, poll: int) -> int:
        if poll < _LEAST:
            raise ValueError('registries limit who asks too often; write at least "1 hour"')
        return poll


def read_by_keel(policy: str) -> dict[str, str]:
    """What Keel reads on a workload."""
    kind, _, more = policy.partition("+")
    made = {"keel.sh/policy": kind, "keel.sh/trigger": "poll"}
    if more == "approve":
        made["keel.sh/approvals"] = "1"
    if more == "tag":
        made["keel.sh/matchTag"] = "true"
    return made
