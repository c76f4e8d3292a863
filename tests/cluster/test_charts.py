"""HelmCharts with the real helm-controller: it makes jobs of them. Helm itself is not run by the pretend node."""

import json

import pytest

pytestmark = pytest.mark.cluster


def chart(namespace, name="web", version="1.0.5", **spec):
    declared = {"chart": "web", "repo": "https://charts.example", "version": version, "failurePolicy": "abort", **spec}
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "helm.cattle.io/v1", "kind": "HelmChart", "metadata": metadata, "spec": declared}


def job_arguments(cluster, namespace):
    jobs = cluster.get("jobs", "-n", namespace)["items"]
    return [job["spec"]["template"]["spec"]["containers"][0]["args"] for job in jobs]


def test_without_the_controller_the_crd_is_there_as_on_k3s(cluster, namespace):
    dry_run = ("apply", "--server-side", "--dry-run=server", "-f", "-")
    said = cluster.attempt(*dry_run, stdin=json.dumps(chart(namespace, failurePolicy="abrot")))
    assert said.returncode == 1 and 'spec.failurePolicy: Unsupported value: "abrot"' in said.stderr


def test_a_chart_is_taken_up_and_its_job_completes(helm_controller, namespace):
    helm_controller.apply(chart(namespace))
    helm_controller.kubectl("-n", namespace, "wait", "--for=create", "job/helm-install-web", "--timeout=60s")
    helm_controller.kubectl("-n", namespace, "wait", "--for=condition=Complete", "job/helm-install-web", "--timeout=60s")
    (arguments,) = job_arguments(helm_controller, namespace)
    assert arguments[arguments.index("--version") + 1] == "1.0.5"
    helm_controller.apply(chart(namespace, version="1.0.6"))
    helm_controller.until(lambda: any("1.0.6" in a for a in job_arguments(helm_controller, namespace)), "the new version's job")
    helm_controller.kubectl("-n", namespace, "delete", "helmchart", "web", "--timeout=60s")


def test_a_chart_of_version_6_6_6_fails(helm_controller, namespace):
    helm_controller.apply(chart(namespace, version="6.6.6", backOffLimit=0))
    helm_controller.kubectl("-n", namespace, "wait", "--for=create", "job/helm-install-web", "--timeout=60s")
    helm_controller.kubectl("-n", namespace, "wait", "--for=condition=Failed", "job/helm-install-web", "--timeout=60s")
    helm_controller.kubectl("-n", namespace, "delete", "helmchart", "web", "--wait=false")
