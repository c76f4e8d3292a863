"""The closing summary: numbers, the first failure, and what hosts share said once."""

from zerotoil.edge.report import Report
from zerotoil.error_codes import Code
from zerotoil.errors import LabError, Several
from zerotoil.resources.resource import Action, Change, Kind, Notice
from zerotoil.workflows.tell import EVENT_OF, Outcome

EXPIRING = Notice("certificate of wss://nas.lan", Kind.EXPIRING, "it ends on 2026-12-01, in 5 days", "renew it")


def test_the_summary_and_what_is_told_are_the_same_numbers() -> None:
    made = Report()
    one, two = made.of("one"), made.of("two")
    one.made([Change("zvol a", Action.CREATE, "size", None, 1), Change("VM one", Action.UPDATE, "cpus", 1, 2)])
    one.as_declared |= {"zvol a", "portal"}
    two.failure = LabError("the NAS cannot be reached", "is it up?", code=Code.NAS_UNREACHABLE)
    one.notices = two.notices = (EXPIRING,)
    assert made.text().splitlines() == [
        "--> What happened:",
        "    one: 1 created, 1 changed, 1 as declared",
        "        certificate of wss://nas.lan: expiring: it ends on 2026-12-01, in 5 days (renew it)",
        "    two: FAILED; nothing done",
        "        failed: the NAS cannot be reached: is it up? [ZT201]",
    ]
    assert one.outcome("one") == Outcome("one", None, 1, 1, 1, "", (EXPIRING,))
    assert two.outcome("two").failure == "the NAS cannot be reached: is it up? [ZT201]"
    assert set(EVENT_OF) <= set(Kind)


def test_what_did_not_become_ready_in_a_cluster_is_told_though_its_host_failed() -> None:
    late = LabError("k3s1: cluster/a.yaml:1: Deployment web/web is not ready after 5 minutes", "look", code=Code.OBJECT_NOT_READY)
    refused = LabError("k3s1: cluster/b.yaml:1: ConfigMap web/b: no", "mend it", code=Code.OBJECT_REFUSED)
    made = Report().of("k3s1")
    what = "cluster/a.yaml:1: Deployment web/web is not ready after 5 minutes"
    for failure in (late, Several([refused, late])):
        made.failure = failure
        assert made.outcome("k3s1").notices == (Notice("k3s1", Kind.UNREADY, what, "look"),)
    assert EVENT_OF[Kind.UNREADY] == "unhealthy"
    made.failure = refused
    assert made.outcome("k3s1").notices == ()
