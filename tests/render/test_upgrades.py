"""The upgrade controller and its Plans: by checksum, as golden text, and against the controller's own schema made strict."""

import copy
import hashlib
import json
import subprocess
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.conftest import RIGHT
from zerotoil.model.inventory import declare
from zerotoil.model.secret import Secret
from zerotoil.model.spec import HostSpec
from zerotoil.render.kubernetes import upgrades

GOLDEN = Path(__file__).parent / "golden"
SHA256 = "9f436723e56aeabff8b3ea600d2ee2542e75b9cb2ba8ec60c543251a6d4982b8"
HERE = resources.files("zerotoil.render.kubernetes")
NIC = {"network": "default"}


def spec(agents: bool = False, **more: Any) -> HostSpec:
    follow = {"k3s_cluster": "house", "k3s_token": Secret("t"), "upgrades_enabled": True, "upgrades_channel": "v1.36"}
    hosts = {
        "k3s1": {
            **RIGHT,
            **follow,
            "k3s_role": "server",
            "vm_nics": [{**NIC, "address": "192.0.2.21/24", "gateway": "192.0.2.1"}],
            **more,
        }
    }
    if agents:
        hosts["k3s2"] = {**RIGHT, "k3s_cluster": "house", "k3s_token": Secret("t"), "k3s_role": "agent"}
    declared = declare({name: [("host data", data)] for name, data in hosts.items()})
    assert not declared.problems, list(map(str, declared.problems))
    return declared.specs["k3s1"]


def test_what_is_vendored_is_as_it_was_taken() -> None:
    text = HERE.joinpath("system-upgrade-controller.json").read_bytes()
    assert hashlib.sha256(text).hexdigest() == SHA256


def test_images_are_pinned_and_can_be_mirrored() -> None:
    made = upgrades.objects(spec(upgrades_controller_image="mirror.lan/suc", upgrades_kubectl_image="mirror.lan/kubectl:v1.36.3"))
    (deployment,) = [one.body for one in made if one.kind == "Deployment"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "mirror.lan/suc:v0.20.1"
    (settings,) = [one.body for one in made if one.kind == "ConfigMap"]
    assert settings["data"]["SYSTEM_UPGRADE_JOB_KUBECTL_IMAGE"] == "mirror.lan/kubectl:v1.36.3"


def test_a_cluster_that_does_not_upgrade_itself_has_none_of_it() -> None:
    assert upgrades.objects(spec(upgrades_enabled=False)) == []


PLANS: list[tuple[str, bool, dict[str, Any]]] = [
    ("plan-one-server", False, {"upgrades_timezone": "Europe/Berlin", "upgrades_days": ["sa", "su"]}),
    (
        "plans-with-agents",
        True,
        {
            "upgrades_channel": None,
            "upgrades_version": "v1.36.3+k3s1",
            "upgrades_concurrency": 2,
            "upgrades_exclude": ["k3s9"],
            "upgrades_drain": {"force": True, "timeout": "5m", "grace_period": 30},
        },
    ),
]


@pytest.mark.parametrize(("name", "agents", "more"), PLANS, ids=[name for name, _, _ in PLANS])
def test_plans_are_as_golden_and_fit_the_schema(name: str, agents: bool, more: dict[str, Any]) -> None:
    made = upgrades.plans(spec(agents, **more))
    for plan in made:
        jsonschema.validate(plan["spec"], schema())
    shown = copy.deepcopy(made)
    assert shown[0]["spec"]["prepare"]["args"] == [HERE.joinpath("before-upgrade.sh").read_text()]
    shown[0]["spec"]["prepare"]["args"] = ["before-upgrade.sh"]
    text = yaml.safe_dump_all(shown, sort_keys=False)
    golden = GOLDEN / f"{name}.yaml"
    assert text == golden.read_text(), f"{golden} differs"


def test_a_typo_would_not_fit_the_schema() -> None:
    (plan,) = upgrades.plans(spec())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**plan["spec"], "concurency": 1}, schema())


def schema() -> Any:
    """Of a Plan's spec; unlike the API server, JSON Schema would take any key that it does not name."""
    found = json.loads(HERE.joinpath("system-upgrade-controller.json").read_text())
    (definition,) = [one for one in found if one["kind"] == "CustomResourceDefinition"]
    made = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]

    def strict(node: Any) -> None:
        for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            strict(inner)
        if isinstance(node, dict) and isinstance(node.get("properties"), dict):
            node.setdefault("additionalProperties", False)

    strict(made)
    return made


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A server's disk, with a datastore on SQLite."""
    db = tmp_path / "var/mnt/data/k3s/k3s/server/db"
    db.mkdir(parents=True)
    (db / "state.db").write_text("database")
    (db / "state.db-wal").write_text("log")
    (db.parent / "token").write_text("token")
    (tmp_path / "var/mnt/data/zerotoil/k3s").mkdir(parents=True)
    k3s = tmp_path / "usr/local/bin/k3s"
    k3s.parent.mkdir(parents=True)
    k3s.write_text('#!/bin/sh\n[ "$1" != etcd-snapshot ] || { echo "$@" >&2; exit 0; }\necho "k3s version v1.36.3+k3s1 (abc)"\n')
    k3s.chmod(0o755)
    return tmp_path


def before_upgrade(root: Path) -> subprocess.CompletedProcess[str]:
    """As the Plan's container runs it: the text is an argument of sh."""
    script = HERE.joinpath("before-upgrade.sh").read_text()
    env = {"PATH": "/usr/bin:/bin", "ZEROTOIL_ROOT": str(root)}
    return subprocess.run(["sh", "-c", script], env=env, capture_output=True, text=True, timeout=60)


def copies(root: Path) -> list[Path]:
    return sorted((root / "var/mnt/data/zerotoil/k3s/before-upgrade").glob("*"))


def test_the_datastore_is_copied_with_its_log_and_its_version(root: Path) -> None:
    done = before_upgrade(root)
    assert done.returncode == 0, done.stderr
    (made,) = copies(root)
    assert made.name.endswith("-v1.36.3+k3s1") and made.stat().st_mode & 0o777 == 0o700
    assert {path.name: path.read_text() for path in made.iterdir()} == {
        "state.db": "database", "state.db-wal": "log", "token": "token", "version": "v1.36.3+k3s1\n",
    }  # fmt: skip


def test_three_copies_are_kept(root: Path) -> None:
    folder = root / "var/mnt/data/zerotoil/k3s/before-upgrade"
    for number in range(4):
        (folder / f"2026-01-0{number + 1}T00-00-00Z-v1.35.1+k3s1").mkdir(parents=True)
    assert before_upgrade(root).returncode == 0
    assert [path.name[:10] for path in copies(root)][:2] == ["2026-01-03", "2026-01-04"] and len(copies(root)) == 3


def test_without_a_datastore_the_upgrade_ends_before_the_node_is_cordoned(root: Path) -> None:
    (root / "var/mnt/data/k3s/k3s/server/db/state.db").unlink()
    done = before_upgrade(root)
    assert done.returncode == 1 and "state.db is not there: nothing was copied" in done.stderr
    assert copies(root) == []


def test_etcd_makes_its_own_snapshot(root: Path) -> None:
    (root / "var/mnt/data/k3s/k3s/server/db/etcd").mkdir()
    done = before_upgrade(root)
    assert done.returncode == 0
    assert "etcd-snapshot save --name zerotoil-before-upgrade --snapshot-retention 3 --dir" in done.stderr
    (made,) = copies(root)
    assert not (made / "state.db").exists()


def test_kubernetes_leaves_the_script_as_it_is() -> None:
    """In args it replaces $(NAME) of a variable that the container has, and $$."""
    script = HERE.joinpath("before-upgrade.sh").read_text()
    assert "$$" not in script and "$(SYSTEM_UPGRADE" not in script
