"""Plans against system-upgrade-controller's real CRD, and its service account against its real rules."""

import json

import pytest

from tests.cluster import upgrades
from tests.cluster.control_plane import KUBERNETES

pytestmark = pytest.mark.cluster
DRY_RUN = ("apply", "--server-side", "--field-manager=zerotoil", "--dry-run=server", "-f", "-")


def plan(**changed):
    spec = {
        "concurrency": 1,
        "cordon": True,
        "channel": "https://update.k3s.io/v1-release/channels/v1.36",
        "serviceAccountName": "system-upgrade",
        "nodeSelector": {
            "matchExpressions": [{"key": "node-role.kubernetes.io/control-plane", "operator": "In", "values": ["true"]}]
        },
        "window": {"days": ["mo", "tu"], "startTime": "04:00", "endTime": "05:30", "timeZone": "Europe/Berlin"},
        "upgrade": {"image": "rancher/k3s-upgrade"},
        **changed,
    }
    metadata = {"name": "server-plan", "namespace": upgrades.NAMESPACE}
    return {"apiVersion": "upgrade.cattle.io/v1", "kind": "Plan", "metadata": metadata, "spec": spec}


def test_a_right_plan_is_taken_and_its_version_is_seen(plans):
    plans.apply(plan(version=f"{KUBERNETES}+k3s1"))
    try:
        assert plans.get("plan", "server-plan", "-n", upgrades.NAMESPACE)["spec"]["version"] == f"{KUBERNETES}+k3s1"
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
    said = plans.attempt(*DRY_RUN, stdin=json.dumps(plan(**changed)))
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
