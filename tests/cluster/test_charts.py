"""HelmCharts with the real helm-controller: it makes jobs of them. Helm itself is not run by the pretend node."""

import json
import subprocess

import pytest

from tests.cluster.control_plane import KUBERNETES
from tests.conftest import make_spec
from zerotoil.render.kubernetes import charts

pytestmark = pytest.mark.cluster


def chart(namespace, version="1.0.5", **spec):
    """Keel's as we ship it, in a namespace of the test's own."""
    made = charts.keel(make_spec("zt-1", k3s_role="server", keel_enabled=True, keel_version=version))
    (body,) = [one.body for one in made if one.kind == "HelmChart"]
    secrets = [{**item, "ignoreUpdates": True} for item in body["spec"]["valuesSecrets"]]
    metadata = {"name": "web", "namespace": namespace}
    return {**body, "metadata": metadata, "spec": {**body["spec"], "valuesSecrets": secrets, **spec}}


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


def test_helm_renders_a_chart_for_the_release_that_runs(helm, tmp_path):
    (tmp_path / "templates").mkdir()
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: web\nversion: 1.0.5\nkubeVersion: '>= 1.36'\n")
    template = "kind: ConfigMap\napiVersion: v1\nmetadata: {name: {{ .Release.Name }}}\ndata: {given: {{ .Values.given }}}\n"
    (tmp_path / "templates/config.yaml").write_text(template)
    line = [helm, "template", "site", tmp_path, "--set", "given=here", "--kube-version", KUBERNETES]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60)
    assert "metadata: {name: site}\ndata: {given: here}" in done.stdout, done.stderr
