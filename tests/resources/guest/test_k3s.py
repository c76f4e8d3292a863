"""k3s kept as declared in a guest: the real scripts and the stand-in, from an empty machine on."""

import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.arguments import log_arguments
from tests.conftest import RIGHT, make_spec
from tests.resources.guest.k3s_machine import NEW, OLD, Machine
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers import Site
from zerotoil.model.inventory import declare
from zerotoil.model.places import TREE
from zerotoil.model.secret import Secret
from zerotoil.model.spec import HostSpec
from zerotoil.resources.guest import Guest, files, k3s_wait, swap
from zerotoil.resources.guest.k3s import K3S, GoneK3s, K3s, guest_files
from zerotoil.resources.guest.own_files import own_files
from zerotoil.resources.guest.packaged import script_text
from zerotoil.resources.resource import Risk


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    made = Machine(tmp_path)
    monkeypatch.setattr(k3s_wait, "_SECONDS", 6)
    yield made
    made.end()


def k3s(machine: Machine, **more: Any) -> K3s:
    machine.guest.forget()
    return K3s(machine.guest, machine.spec(**more))


def lines(resource: K3s | GoneK3s) -> list[str]:
    return [str(change) for change in resource.plan()]


def cluster(*roles: str, **more: Any) -> dict[str, HostSpec]:
    """Hosts of one cluster, `matrix` first, then host1 and so on."""
    hosts = {}
    for number, role in enumerate(roles):
        shared = {**RIGHT, "k3s_cluster": "home", "k3s_token": Secret("join-me"), "k3s_role": role}
        nics = [{"bridge": "br0", "address": f"192.0.2.{number + 1}/24"}]
        hosts[f"host{number}" if number else "matrix"] = [("host data", {**shared, "vm_nics": nics, **more})]
    declared = declare(hosts)
    assert not declared.problems, [str(problem) for problem in declared.problems]
    return declared.specs


def test_an_empty_machine_becomes_a_node_and_then_nothing_is_to_do(machine: Machine) -> None:
    made = k3s(machine, k3s_token=Secret("s3cret"), registry_logins={"ghcr.io": {"user": "me", "password": Secret("p4ss")}})
    planned = lines(made)
    assert f"k3s server: create binary {OLD}" in planned and "k3s server: create service enabled, active" in planned
    assert not any("s3cret" in str(change) or "p4ss" in f"{change}{change.after}" for change in made.plan())
    made.apply()
    assert machine.kubectl("get", "nodes", "-o", "json")["items"][0]["status"]["nodeInfo"]["kubeletVersion"] == OLD
    assert (machine.own / "token").stat().st_mode & 0o777 == 0o600
    assert (machine.etc / "k3s/k3s.yaml").stat().st_mode & 0o777 == 0o600
    asked = len(machine.scripts)
    machine.guest.forget()
    assert made.plan() == [] and made.apply() == []
    assert len(machine.scripts) - asked == 1, "converged: one round trip"


def test_a_file_that_held_a_login_is_not_read_for_the_plan(machine: Machine) -> None:
    """Nor shown: it holds none today, and did."""
    mirrors = {"ghcr.io": "mirror.lan:5000"}
    k3s(machine, registry_mirrors=mirrors, registry_logins={"ghcr.io": {"user": "me", "password": Secret("p4ss")}}).apply()
    machine.scripts.clear()
    (change,) = k3s(machine, registry_mirrors=mirrors).plan()
    assert (change.field, change.before) == ("file registries.yaml", "********")
    assert not any("base64 -w0" in script and "registries.yaml" in script for script in machine.scripts)


def test_a_machine_that_is_not_there_yet_is_planned_without_asking_it(machine: Machine) -> None:
    planned = lines(K3s(Guest.new_machine("matrix"), machine.spec()))
    assert planned[-2:] == [f"k3s server: create binary {OLD}", "k3s server: create service enabled, active"]


def test_a_changed_config_is_a_restart_with_its_diff(machine: Machine) -> None:
    k3s(machine).apply()
    changed = k3s(machine, k3s_config={"disable": ["traefik"]})
    (change,) = changed.plan()
    assert (change.field, change.risk) == ("file config.yaml", Risk.RESTART)
    assert [line for line in change.text_diff() if line[0] in "+-"] == ["+disable:", "+- traefik"]
    (machine.state / "log").write_text("")
    changed.apply()
    assert "systemctl restart --no-block k3s.service" in (machine.state / "log").read_text()
    assert "traefik" in (machine.etc / "k3s/config.yaml").read_text()


def test_another_version_that_is_declared_is_no_drift_whatever_runs(machine: Machine) -> None:
    k3s(machine).apply()
    assert lines(k3s(machine, k3s_version=NEW)) == []
    assert lines(k3s(machine, k3s_version="v1.35.1+k3s1")) == []


def test_an_interrupted_restart_is_made_up_for(machine: Machine) -> None:
    """The files were written, and k3s runs with the ones before."""
    k3s(machine).apply()
    machine.put(machine.spec())
    other = machine.spec(k3s_config={"debug": True})
    script = k3s(machine, k3s_config={"debug": True})
    machine.guest.write(files.write_script(K3S, files.found(machine.guest.facts(), K3S), guest_files(other)))
    assert lines(script) == [
        "k3s server: config.yaml in /etc another text -> as declared",
    ]
    script.apply()
    assert "debug" in (machine.etc / "k3s/config.yaml").read_text()
    (machine.root / "run/zerotoil-k3s").write_text("before\n")
    machine.guest.forget()
    assert lines(script) == ["k3s server: runs with older files -> these"]
    script.apply()


def test_what_was_changed_in_etc_is_mended(machine: Machine) -> None:
    made = k3s(machine)
    made.apply()
    (machine.etc / "k3s/config.yaml").write_text("selinux: false\n")
    (machine.root / "etc/systemd/system/k3s.service").write_text("[Service]\n")
    machine.guest.forget()
    assert lines(made) == [
        "k3s server: k3s.service in /etc another text -> as declared",
        "k3s server: config.yaml in /etc another text -> as declared",
    ]
    made.apply()
    assert "selinux: true" in (machine.etc / "k3s/config.yaml").read_text()


def test_a_service_that_was_stopped_runs_again(machine: Machine) -> None:
    made = k3s(machine)
    made.apply()
    for name in ("active", "enabled"):
        (machine.state / f"{name}-k3s.service").unlink()
    machine.end()
    (machine.root / "run/k3s-standin.pid").unlink()
    machine.guest.forget()
    assert lines(made) == ["k3s server: service disabled, inactive -> enabled, active"]
    made.apply()


def test_the_way_from_sqlite_to_etcd_is_said_to_have_no_return(machine: Machine) -> None:
    k3s(machine).apply()
    machine.kubectl("create", "configmap", "mine")
    made = k3s(machine, k3s_datastore="etcd")
    change = next(change for change in made.plan() if change.field == "datastore")
    assert (str(change), change.risk) == ("k3s server: datastore sqlite -> etcd; only an undo leads back", Risk.RESTART)
    made.apply()
    assert machine.kubectl("get", "configmaps", "-o", "name") == ["configmap/mine"]
    assert (machine.data / "k3s/k3s/server/db/etcd").is_dir()
    assert refused(k3s(machine)) == "its datastore is etcd, which nothing turns into sqlite"


def refused(made: K3s, code: Code = Code.K3S_OTHER_STATE) -> str:
    with pytest.raises(LabError) as caught:
        made.plan()
    assert caught.value.code is code
    return str(caught.value.what).removeprefix("matrix: k3s is left alone: ")


def test_another_token_than_the_clusters_is_refused_before_anything_is_written(machine: Machine) -> None:
    k3s(machine).apply()
    writes = machine.guest.writes
    said = refused(k3s(machine, k3s_token=Secret("another")))
    assert said == "its cluster has another token than k3s_token, and k3s would not start with this one"
    assert machine.guest.writes == writes
    own = (machine.data / "k3s/k3s/server/token").read_text().strip()  # the whole of it may be declared, too
    assert [change.after for change in k3s(machine, k3s_token=Secret(own)).plan() if change.field == "file token"] == ["********"]
    assert hashlib.sha256(own.rpartition(":")[2].encode()).hexdigest() == machine.guest.facts()["k3s"]["token_sha256"]


def test_the_tokens_hash_is_in_no_argument(machine: Machine, tmp_path: Path) -> None:
    """A short token is guessed from its hash."""
    k3s(machine).apply()
    seen = log_arguments("jq", tmp_path / "bin")
    machine.guest.forget()
    sha256 = machine.guest.facts()["k3s"]["token_sha256"]
    assert len(sha256) == 64 and sha256 not in seen.read_text()


def test_a_server_becomes_no_agent_and_no_member_of_another_cluster(machine: Machine) -> None:
    k3s(machine).apply()
    machine.guest.forget()
    agent = cluster("server", "agent")["host1"].model_copy(update={"name": "matrix"})
    assert refused(K3s(machine.guest, agent)) == "it was a server, and its datastore (sqlite) is there"
    member = cluster("server", "server", "server")["host1"]
    with pytest.raises(LabError, match="it holds a cluster of its own, and joins no other"):
        K3s(machine.guest, member).plan()


def test_k3s_in_the_os_image_is_refused(machine: Machine) -> None:
    """The upgrade controller could not replace it: /usr is read-only, and the node would stay cordoned."""
    (machine.root / "usr/bin").mkdir()
    (machine.root / "usr/bin/k3s").touch()
    assert "the OS image brings one of its own (/usr/bin/k3s)" in refused(k3s(machine))
    assert list((machine.data / "zerotoil").iterdir()) == []


def test_one_that_waits_for_its_server_starts_anew_with_other_files(machine: Machine) -> None:
    machine.put(machine.spec())
    machine.right("install")
    (machine.state / "active-k3s.service").unlink()  # activating, as systemd says of it
    machine.put(machine.spec(k3s_config={"debug": True}))
    assert "systemctl restart --no-block k3s.service" in machine.right("up")


def test_a_host_of_k3s_writes_its_versions_down_and_gets_nothing_of_docker() -> None:
    names = [file.path.removeprefix(f"{TREE}/") for file in own_files(make_spec(k3s_role="server"))]
    ledger = ["zerotoil-ledger@.service", "zerotoil-ledger-boot.timer", "zerotoil-ledger-before.timer"]
    assert names == ["bin/install.sh", "bin/ledger.sh", *(f"units/{name}" for name in ledger)]


def test_at_boot_install_sh_brings_k3s_back(machine: Machine) -> None:
    """On a new OS disk, without a deploy; and where k3s cannot be installed, the rest is all the same."""
    machine.put(machine.spec())
    machine.right("prepare")
    machine.new_os_disk()
    system = str(machine.root / "etc/systemd/system")
    env = machine.env | {"ZEROTOIL_TREE": str(machine.data / "zerotoil"), "ZEROTOIL_SYSTEM": system}
    (machine.data / "zerotoil/.zerotoil").mkdir()
    line = ["sh", "-c", script_text("install.sh")]
    subprocess.run(line, env=env, check=True, timeout=60)
    assert (machine.state / "active-k3s.service").exists() and machine.version() == OLD
    (machine.own / "k3s.sh").write_text("exit 1\n")
    done = subprocess.run(line, env=env, check=True, timeout=60, capture_output=True, text=True)
    assert "k3s was not installed" in done.stderr


def test_without_the_policy_nothing_is_written(machine: Machine) -> None:
    machine.selinux()
    made = k3s(machine)
    assert "package k3s-selinux is not in the OS" in refused(made, Code.K3S_NO_POLICY)
    assert list((machine.data / "zerotoil").iterdir()) == []


def test_a_first_server_that_does_not_start_is_given_up_with_its_last_words(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = k3s(machine, k3s_version="v1.99.0+k3s1")
    monkeypatch.setattr(k3s_wait, "_STARTS", 0)
    with pytest.raises(LabError) as caught:
        made.apply()
    assert caught.value.code is Code.K3S_NOT_UP
    assert "sha256sum-amd64.txt cannot be fetched" in str(caught.value)


def test_a_node_that_joins_waits_for_the_first_server(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """And where none comes, it is a failure of this host alone."""
    monkeypatch.setattr(k3s_wait, "_SECONDS", 2)
    (machine.state / "broken").touch()
    spec = cluster("server", "agent", k3s_url="http://lab.lan/k3s")["host1"]
    with pytest.raises(LabError, match="k3s agent did not come up .the service is not up"):
        K3s(machine.guest, spec).apply()


def test_an_agent_becomes_ready_by_its_own_word(machine: Machine) -> None:
    spec = cluster("server", "agent", k3s_url="http://lab.lan/k3s")["host1"]
    made = K3s(machine.guest, spec)
    made.apply()
    assert "server: https://192.0.2.1:6443" in (machine.etc / "k3s/config.yaml").read_text()
    assert made.plan() == []


def test_a_host_without_k3s_has_nothing_to_do_with_it_until_it_had_it(machine: Machine, tmp_path: Path) -> None:
    """Neither an operation of a deploy nor a question; but where the guest was not up when a deploy began, it may have had it."""
    site = Site(make_spec(), tmp_path, shell=machine.shell)
    assert [type(resource) for resource in site.k3s_resources()] == [GoneK3s] and machine.scripts == []
    site.guest.facts()
    assert site.k3s_resources() == []
    machine.guest.write(files.write_script(K3S, None, guest_files(machine.spec())))
    site.guest.forget()
    site.guest.facts()
    assert [type(resource) for resource in site.k3s_resources()] == [GoneK3s]
    assert isinstance(Site(machine.spec(), tmp_path, shell=machine.shell).k3s_resources()[0], K3s)


def test_what_is_declared_no_more_stops_and_its_state_stays(machine: Machine) -> None:
    k3s(machine).apply()
    machine.kubectl("create", "configmap", "mine")
    machine.guest.forget()
    gone = GoneK3s(machine.guest)
    assert lines(gone) == ["k3s: runs yes -> no; its state stays in /var/mnt/data/k3s"]
    gone.apply()
    assert lines(gone) == []
    assert not (machine.state / "active-k3s.service").exists()
    assert list((machine.root / "etc/systemd/system").iterdir()) == []
    assert "configmap/mine" in (machine.data / "k3s/k3s/server/db/state.db").read_text()
    machine.end()
    (machine.root / "run/k3s-standin.pid").unlink(missing_ok=True)
    k3s(machine).apply()  # and again, with what was there
    assert machine.kubectl("get", "configmaps", "-o", "name") == ["configmap/mine"]


def test_an_undo_waits_for_k3s_too() -> None:
    guest = Guest("matrix", lambda _script: "zerotoil-app@web.service\nk3s.service\nk3s-pods.service\n")
    assert swap.resume(guest) == ["zerotoil-app@web.service", "k3s.service"]
