"""Plans against system-upgrade-controller's real CRD, and its service account against its real rules."""

import json

import pytest

from tests.cluster import upgrades
from tests.cluster.control_plane import KUBERNETES
from tests.conftest import make_spec
from zerotoil.render.kubernetes.upgrades import plans as shipped

pytestmark = pytest.mark.cluster
DRY_RUN = ("apply", "--server-side", "--field-manager=zerotoil", "--dry-run=server", "-f", "-")
ZONE = {"upgrades_days": ["mo", "tu"], "upgrades_start": "04:00", "upgrades_end": "05:30", "upgrades_timezone": "Europe/Berlin"}


def plan(**declared):
    """As we ship it."""
    follow = {} if "upgrades_version" in declared else {"upgrades_channel": "v1.36"}
    (made,) = shipped(make_spec("zt-1", k3s_role="server", upgrades_enabled=True, **follow, **ZONE, **declared))
    return made


@pytest.mark.parametrize(
    "declared",
    [
        {},
        {"upgrades_version": f"{KUBERNETES}+k3s1"},
        {"upgrades_drain": {"force": True, "timeout": "5m", "grace_period": 30}},
        {"upgrades_exclude": ["zt-9"]},
    ],
    ids=["channel", "version", "drain", "exclude"],
)
def test_our_plan_is_taken_as_it_is(plans, declared):
    """Nothing of it is dropped: not the zone of its window, nor the rights of its prepare step."""
    made = plan(**declared)
    plans.apply(made)
    try:
        assert plans.get("plan", "server-plan", "-n", upgrades.NAMESPACE)["spec"] == made["spec"]
    finally:
        plans.kubectl("delete", "plan", "server-plan", "-n", upgrades.NAMESPACE)


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"concurency": 1}, ".spec.concurency: field not declared in schema"),
        ({"concurrency": "one"}, "spec.concurrency"),
        ({"upgrade": None}, "spec.upgrade"),
        ({"window": {"days": ["someday"]}}, 'spec.window.days[0]: Unsupported value: "someday"'),
    ],
)
def test_a_wrong_plan_is_refused(plans, changed, complaint):
    said = plans.attempt(*DRY_RUN, stdin=json.dumps({**plan(), "spec": {**plan()["spec"], **changed}}))
    assert said.returncode == 1 and complaint in said.stderr


@pytest.mark.parametrize(
    ("able", "action"),
    [
        ("yes", "create jobs.batch -n system-upgrade"),
        ("yes", "deletecollection jobs.batch -n system-upgrade"),
        ("yes", "list secrets -n system-upgrade"),
        ("yes", "update plans.upgrade.cattle.io --subresource=status -n system-upgrade"),
        ("yes", "update nodes"),
        ("yes", "patch nodes"),
        ("yes", "create pods --subresource=eviction -n kube-system"),
        ("yes", "create events -n default"),
        ("yes", "update leases.coordination.k8s.io/system-upgrade-controller -n system-upgrade"),
        ("no", "update leases.coordination.k8s.io/another -n system-upgrade"),
        ("no", "create jobs.batch -n default"),
        ("no", "list secrets -n default"),
        ("no", "create clusterrolebindings"),
    ],
)
def test_what_its_service_account_may(plans, able, action):
    said = plans.attempt("auth", "can-i", *action.split(), f"--as={upgrades.ACCOUNT}")
    assert (said.stdout.strip(), said.returncode) == (able, 0 if able == "yes" else 1)


def test_its_manifests_name_its_own_release(plans):
    deployment = plans.get("deployment", upgrades.MODULE, "-n", upgrades.NAMESPACE)
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] == f"rancher/{upgrades.MODULE}:{upgrades.VERSION}"
