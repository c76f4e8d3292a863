"""An OS that looks after itself, kept as declared: real files by a real shell, and a stand-in for os.sh."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import make_spec
from tests.resources.guest.os_guest import IMAGE, STREAM, Machine, seen
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.secret import Secret
from zerotoil.resources.guest import os_updates, os_wait
from zerotoil.resources.guest.guest import Guest
from zerotoil.resources.guest.os_deployments import same
from zerotoil.resources.guest.os_updates import GoneOsUpdates, OsUpdates, guest_files, is_fresh
from zerotoil.resources.guest.own_files import own_files
from zerotoil.resources.resource import Risk

REFERENCE = f"ostree-unverified-registry:{IMAGE}"
STARTED = "start --no-block zerotoil-os-rebase.service"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def lines(resource: OsUpdates | GoneOsUpdates) -> list[str]:
    return [str(change) for change in resource.plan()]


def refused(resource: OsUpdates) -> LabError:
    with pytest.raises(LabError) as caught:
        resource.apply()
    return caught.value


def names(**keys: Any) -> set[str]:
    return {file.path.rpartition("/os/")[2] for file in guest_files(make_spec(**keys), "KEY" if "os_source" in keys else None)}


def test_the_login_of_its_registry_is_a_file_for_root(machine: Machine) -> None:
    logins = {"reg.lan:5000": {"user": "me", "password": Secret("t0ken")}, "ghcr.io": {"user": "me", "password": Secret("other")}}
    (login,) = (file for file in guest_files(make_spec(os_source=IMAGE, registry_logins=logins)) if file.secret)
    assert (login.path, login.mode) == ("/var/mnt/data/zerotoil/os/auth.json", 0o600)
    assert json.loads(login.content) == {"auths": {"reg.lan:5000": {"auth": base64.b64encode(b"me:t0ken").decode()}}}
    assert "auth.json" not in names(os_source=IMAGE, registry_logins={"ghcr.io": logins["ghcr.io"]})
    assert "auth.json" not in names(os_strategy="immediate", registry_logins=logins)
    assert not any("t0ken" in line for line in lines(machine.updates(os_source=IMAGE, registry_logins=logins)))


def test_a_new_machine_is_taken_to_its_image_by_the_deploy(machine: Machine) -> None:
    made = machine.updates(os_source=IMAGE, docker_enabled=False, watchtower_enabled=False)
    planned = lines(made)
    assert f"OS updates: source {STREAM} -> {REFERENCE}" in planned
    assert [change.risk for change in made.plan() if change.field == "source"] == [Risk.RESTART]
    made.apply()
    assert machine.verbs() == ["install", STARTED, "reboot --now"]
    assert machine.observed()["booted"]["version"] == "44"
    machine.scripts.clear()
    machine.guest.forget()
    assert made.plan() == [] and made.apply() == []
    assert len(machine.scripts) == 1, "converged: one round trip"


def test_a_machine_with_apps_waits_for_its_window(machine: Machine) -> None:
    machine.with_an_app()
    made = machine.updates(os_source=IMAGE, os_window=["Sat 03:00-05:00"])
    made.apply()
    assert machine.verbs() == ["install", STARTED]
    assert machine.observed()["booted"]["version"] == "43"
    assert lines(made) == [], "it is staged: nothing is left to do"


def test_unless_the_owner_says_now(machine: Machine) -> None:
    machine.with_an_app()
    machine.updates(os_source=IMAGE, restart="now").apply()
    assert machine.verbs() == ["install", STARTED, "reboot --now"]


def test_what_is_on_its_way_is_not_started_again(machine: Machine) -> None:
    machine.with_an_app()
    (machine.state / "broken").touch()  # nothing is staged
    made = machine.updates(os_source=IMAGE)
    made.apply()
    assert lines(made) == [f"OS updates: source {STREAM} -> {REFERENCE}"]
    units = machine.observed()["units"]
    machine.now(units={**units, "zerotoil-os-rebase.service": {"ActiveState": "activating", "UnitFileState": "static"}})
    assert lines(made) == []
    machine.now(
        units={**units, "zerotoil-os-rebase.service": {"ActiveState": "activating", "UnitFileState": "static", "NRestarts": 3}}
    )
    assert lines(made) == [f"OS updates: source {STREAM} -> {REFERENCE}"]


def test_what_went_back_after_red_checks_is_not_taken_there_again(machine: Machine) -> None:
    made = machine.updates(os_source=IMAGE)
    made.apply()
    state = {**machine.observed()["state"], "pin": {"by": "gate", "time": 1, "digest": "sha256:1"}}
    machine.now(booted=seen()["booted"], reference=STREAM, state=state)
    assert made.plan() == []


def test_an_image_that_is_not_there(machine: Machine) -> None:
    (machine.state / "broken").touch()
    error = refused(machine.updates(os_source=IMAGE))
    assert str(error) == (
        "matrix: its OS image was not taken (error: manifest unknown): does the registry have it, and may the guest read it? "
        "It is tried again: zerotoil ssh matrix -- journalctl -u zerotoil-os-rebase.service"
    )
    assert error.code is Code.OS_NOT_STAGED
    assert "reboot --now" not in machine.verbs()


def test_a_machine_that_comes_back_with_the_old_os(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def comes_back(guest: Guest, *_: Any) -> None:
        machine.now(booted=seen()["booted"], reference=STREAM, staged=None)

    monkeypatch.setattr(os_wait, "until_rebooted", comes_back)
    error = refused(machine.updates(os_source=IMAGE))
    assert str(error) == (
        f"matrix: it came back with {STREAM}, not with {IMAGE}: "
        "zerotoil os status matrix; the image did not come up, and its console says why"
    )
    assert error.code is Code.OS_NOT_STAGED


@pytest.mark.parametrize(
    ("said", "shown"),
    [("waits an undo is going on", "waits an undo is going on"), ("failed no space left", "no space left")],
)
def test_a_restart_that_something_blocks(machine: Machine, said: str, shown: str) -> None:
    (machine.state / "says").write_text(f"{said}\n")
    error = refused(machine.updates(os_source=IMAGE))
    assert str(error) == f"matrix: it was not restarted into its OS image: {shown}: zerotoil os status matrix"
    assert error.code is Code.OS_NOT_DONE


def test_waiting_for_a_restart_goes_over_lost_connections() -> None:
    answers = ["one\n", "lost", "lost", "two\n"]
    reconnected = []

    def shell(_script: str) -> str:
        if (answer := answers.pop(0)) == "lost":
            raise LabError("matrix: the guest stopped answering (EOF)", "run again", code=Code.GUEST_SILENT)
        return answer

    os_wait.until_rebooted(Guest("matrix", shell), "one", 60, lambda: reconnected.append(1))
    assert len(reconnected) == 2 and answers == []


@pytest.mark.parametrize("answer", ["one", "lost"])
def test_a_machine_that_does_not_come_back(answer: str) -> None:
    def shell(_script: str) -> str:
        if answer == "lost":
            raise LabError("matrix: the guest stopped answering (EOF)", "run again", code=Code.GUEST_SILENT)
        return answer

    with pytest.raises(LabError) as caught:
        os_wait.until_rebooted(Guest("matrix", shell), "one", 1, lambda: None)
    why = "the guest stopped answering (EOF)" if answer == "lost" else "it still runs"
    assert str(caught.value) == (
        f"matrix: it did not come back within 1 s of its restart into another OS ({why}): "
        "look at its console: virsh console; at the boot menu the deployment before is the second entry"
    )
    assert caught.value.code is Code.BOOT_TIMEOUT


def test_without_the_program_nothing_is_changed(machine: Machine) -> None:
    machine.now(program=False)
    error = refused(machine.updates(os_source=IMAGE, os_backend="bootc"))
    assert str(error) == (
        "matrix: the program bootc is not in its OS: nothing was changed: "
        "declare the os_backend that is there, or boot an image of Fedora CoreOS (zerotoil migrate)"
    )
    assert error.code is Code.OS_NOT_DONE and machine.verbs() == []


def test_a_stream_is_left_to_zincati_as_declared(machine: Machine) -> None:
    made = machine.updates(os_strategy="window", os_window=["Sat 03:00-05:00"])
    made.apply()
    assert machine.verbs() == ["install", "packages"]
    assert 'strategy = "periodic"' in machine.observed()["zincati"]["config"]
    machine.now(zincati={"masked": False, "config": '[updates]\nstrategy = "immediate"\n'})
    assert lines(made) == ["OS updates: Zincati's configuration (9 lines differ)"]
    made.apply()
    assert made.plan() == []


def test_packages_are_layered_and_those_of_others_stay(machine: Machine) -> None:
    made = machine.updates(os_packages=["tailscale", "htop"])
    assert "OS updates: create packages htop, tailscale" in lines(made)
    made.apply()
    assert machine.verbs() == ["install", "packages"] and made.plan() == []
    machine.now(packages=["tailscale", "mine"])
    assert lines(made) == ["OS updates: packages mine, tailscale -> htop"]


def test_drift_on_the_os_disk_is_shown_and_mended(machine: Machine) -> None:
    made = machine.updates(os_source=IMAGE)
    made.apply()
    units = machine.observed()["units"]
    units["zerotoil-os-update.timer"]["ActiveState"] = "inactive"
    del units["zerotoil-os-health.service"]
    machine.now(in_etc=["os.sh"], units=units)
    assert lines(made) == [
        "OS updates: os.sh on the OS disk another text -> as declared",
        "OS updates: zerotoil-os-update.timer enabled, inactive -> enabled, active",
        "OS updates: zerotoil-os-health.service not there -> enabled",
    ]
    machine.verbs()
    made.apply()
    assert machine.verbs() == ["install"] and made.plan() == []


def test_a_guest_that_says_yes_and_does_nothing(machine: Machine) -> None:
    (machine.state / "lazy").touch()
    machine.with_an_app()
    assert "the server accepted the change but did not make it" in str(refused(machine.updates(os_source=IMAGE)))


def test_what_is_declared_no_more_goes(machine: Machine) -> None:
    machine.updates(os_source=IMAGE).apply()
    machine.verbs()
    gone = GoneOsUpdates(machine.guest)
    assert lines(gone) == ["OS updates: looked after yes -> no: its timers and checks go, its deployments stay"]
    gone.apply()
    assert machine.verbs() == ["remove"] and gone.plan() == [] and gone.apply() == []
    assert not (machine.data / "zerotoil/os/os.sh").exists()


def test_who_is_given_what() -> None:
    static = {"os.sh", "health.sh", "declared.json", "units/zerotoil-os-health.service"}
    own = {"units/zerotoil-os-rebase.service", "cosign.pub"}
    timers = {f"units/zerotoil-os-{name}.{kind}" for name in ("update", "reboot") for kind in ("service", "timer")}
    assert names(os_packages=["htop"]) == static
    assert names(os_strategy="immediate") == static | {"zincati.toml"}
    assert names(os_source=IMAGE) == static | own | timers
    assert names(os_source=IMAGE, os_strategy="off") == static | own


def test_a_stock_host_is_given_nothing() -> None:
    quiet = make_spec(docker_enabled=False, watchtower_enabled=False)
    assert not quiet.os.managed and own_files(quiet) == []
    managed = make_spec(docker_enabled=False, watchtower_enabled=False, os_strategy="off")
    assert [file.path for file in own_files(managed)] == ["/var/mnt/data/zerotoil/bin/install.sh"], "it comes back at each boot"


@pytest.mark.parametrize(
    ("facts", "fresh"),
    [
        ({}, True),
        ({"containers": [{"Name": "/watchtower"}]}, True),
        ({"containers": [{"Name": "/web"}]}, False),
        ({"notes": "apps/web/.zerotoil/files:0644 x compose.yaml"}, False),
        ({"notes": "zerotoil/k3s/.zerotoil/files:0755 x k3s.sh"}, False),
        ({"notes": "zerotoil/os/.zerotoil/files:0755 x os.sh\nzerotoil/.zerotoil/files:0755 x bin/app.sh"}, True),
        ({"podman": {"containers": [{"name": "web"}]}}, False),
    ],
)  # fmt: skip
def test_when_a_machine_is_new(facts: dict[str, Any], fresh: bool) -> None:
    assert is_fresh(facts) is fresh


@pytest.mark.parametrize(
    ("have", "follows"),
    [
        (f"ostree-unverified-registry:{IMAGE}", True),
        (f"ostree-unverified-image:docker://{IMAGE}", True),
        (f"docker://{IMAGE}", True),
        (IMAGE, True),
        (f"ostree-image-signed:docker://{IMAGE}", False),
        (f"ostree-remote-image:fedora:docker://{IMAGE}", False),
        ("ostree-unverified-registry:reg.lan:5000/os/base:v2", False),
        ("fedora:fedora/x86_64/coreos/stable", False),
        ("", False),
    ],
)  # fmt: skip
def test_which_deployment_follows_the_declared_image(have: str, follows: bool) -> None:
    assert same(REFERENCE, have) is follows


keys = st.one_of(
    st.fixed_dictionaries(
        {"os_source": st.sampled_from([IMAGE, "reg.lan:5000/os/base:v2"])},
        optional={
            "os_window": st.sampled_from([["Sat 03:00-05:00"], ["Mon-Fri 23:30-01:00", "03:00-04:00"]]),
            "os_backend": st.sampled_from(["rpm-ostree", "bootc"]),
            "os_grace": st.sampled_from(["5 minutes", "1 hour"]),
        },
    ),
    st.fixed_dictionaries(
        {"os_strategy": st.sampled_from(["immediate", "off"])},
        optional={"os_packages": st.lists(st.sampled_from(["htop", "tailscale"]), unique=True)},
    ),
)  # fmt: skip


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=keys, second=keys)
def test_apply_does_what_the_plan_named_and_leaves_nothing(
    tmp_path_factory: pytest.TempPathFactory, first: dict[str, Any], second: dict[str, Any]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        machine = Machine(tmp_path_factory.mktemp("guest"), patch)
        for wish in (first, second):
            made = machine.updates(**wish)
            named = lines(made)
            assert [str(change) for change in made.apply()] == named
            machine.guest.forget()
            assert made.plan() == [], wish
    assert os_updates.was_given(machine.guest.facts())
    assert json.loads((machine.data / "zerotoil/os/declared.json").read_text())["source"] == second.get("os_source", "stream")
