"""`zerotoil os`: what each command says and asks of the guest, and that a dry run changes nothing."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.conftest import make_spec
from tests.resources.guest.os_guest import IMAGE, STATE, Machine, seen
from zerotoil.cli import cli, os_updates
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers import Site
from zerotoil.resources.guest import os_wait

REFERENCE = f"ostree-unverified-registry:{IMAGE}"
FRESH = {**STATE, "updated": 4e9, "checked": 4e9}
WINDOW = {"os_source": IMAGE, "os_window": ["Sat 03:00-05:00"]}


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path, monkeypatch)
    monkeypatch.setattr(Site, "guest_now", lambda _site, _seconds=0: made.guest)
    declare(monkeypatch, **WINDOW)
    made.with_an_app()
    made.updates(**WINDOW).apply()
    booted = {**seen()["booted"], "version": "44", "image": REFERENCE}
    made.now(
        reference=REFERENCE,
        booted=booted,
        staged=None,
        rollback=seen()["booted"],
        state={**STATE, "updated": 4e9, "checked": 4e9},
    )
    made.verbs()
    return made


def declare(patch: pytest.MonkeyPatch, **keys: Any) -> None:
    patch.setattr(os_updates, "find", lambda host, _inventory: make_spec(host, **keys))


def run(*line: str, answer: str = "") -> Result:
    return CliRunner().invoke(os_updates.os, line, input=answer)


def refused(*line: str) -> LabError:
    result = run(*line)
    assert isinstance(result.exception, LabError), result.output
    return result.exception


def test_status(machine: Machine) -> None:
    result = run("status", "matrix")
    assert result.exit_code == 0
    assert result.output.splitlines()[0] == (f"matrix: follows {IMAGE} (rpm-ostree); an update comes in Sat 03:00-05:00 UTC")
    machine.now(state={**FRESH, "pin": {"by": "owner"}})
    assert run("status", "matrix").exit_code == 2
    data = json.loads(run("status", "matrix", "--json").output)
    assert data["booted"]["version"] == "44" and data["wrong"] == ["it stays at 44, as asked"]
    assert machine.verbs() == []


@pytest.mark.parametrize(
    ("line", "would"),
    [
        (["update"], f"asks for a newer {IMAGE}, and stages it; it comes in Sat 03:00-05:00 UTC"),
        (["update", "--now"], f"asks for a newer {IMAGE}, and stages it; it comes now: the host restarts"),
        (["rollback"], "goes back from 44 to 43, and restarts; 44 is refused from then on"),
        (["pin"], "stays at 44: no update is taken"),
        (["unpin"], "is not pinned"),
        (["unpin", "--forget"], "takes updates again"),
    ],
)
def test_a_dry_run_says_what_would_be_and_changes_nothing(machine: Machine, line: list[str], would: str) -> None:
    result = run(*line, "matrix", "--dry-run")
    assert (result.exit_code, result.output) == (0, f"matrix: {would}\nmatrix: nothing was changed\n")
    assert machine.verbs() == []


@pytest.mark.parametrize(
    ("line", "verbs", "said"),
    [
        (["update"], ["update"], "45 is staged; it comes in Sat 03:00-05:00 UTC"),
        (
            ["update", "--now", "--yes"],
            ["update", "reboot --now"],
            "45: the host restarts; zerotoil os status matrix says when it is judged",
        ),
        (["rollback", "--yes"], ["rollback owner"], "goes back to 43 and restarts; take updates again: zerotoil os unpin matrix"),
        (["pin"], ["pin"], "stays at 44; take updates again: zerotoil os unpin matrix"),
        (["unpin", "--forget"], ["unpin --forget"], "takes updates again"),
    ],
)
def test_what_is_asked_is_done(machine: Machine, line: list[str], verbs: list[str], said: str) -> None:
    result = run(*line, "matrix")
    assert (result.exit_code, result.output) == (0, f"matrix: {said}\n")
    assert machine.verbs() == verbs


@pytest.mark.parametrize(("said", "shown"), [("nothing new", "nothing newer is there"), ("waits a run", "waits a run")])
def test_an_update_that_brings_nothing(machine: Machine, said: str, shown: str) -> None:
    (machine.state / "says").write_text(f"{said}\n")
    assert run("update", "matrix").output == f"matrix: {shown}\n"


@pytest.mark.parametrize("line", [["rollback"], ["update", "--now"]])
def test_a_restart_is_asked_about(machine: Machine, line: list[str]) -> None:
    result = run(*line, "matrix", answer="n\n")
    assert result.exit_code == 1 and "The host restarts for it. Go on? [y/N]: n" in result.output
    assert machine.verbs() == []


def test_unpinning_names_what_stays_refused(machine: Machine) -> None:
    bad = [{"version": "45", "checksum": "c"}, {"version": "46", "checksum": "d"}]
    machine.now(state={**STATE, "pin": {"by": "gate"}, "bad": bad})
    assert run("unpin", "matrix").output == "matrix: takes updates again, but not 45, 46\n"
    assert run("unpin", "--forget", "matrix").output == "matrix: takes updates again, also what was refused\n"


def test_a_pinned_host_is_not_updated(machine: Machine) -> None:
    machine.now(state={**STATE, "pin": {"by": "owner"}})
    error = refused("update", "matrix")
    assert str(error) == "matrix: it stays at 44, as asked: zerotoil os unpin matrix"
    assert error.code is Code.OS_NOT_DONE


def test_nothing_to_go_back_to(machine: Machine) -> None:
    machine.now(rollback=None)
    error = refused("rollback", "matrix", "--dry-run")
    assert str(error) == (
        "matrix: it has no deployment to go back to: zerotoil os status matrix; an older OS disk: zerotoil migrate matrix --back"
    )
    assert error.code is Code.OS_NOT_DONE


def test_what_was_bad_is_not_gone_back_to(machine: Machine) -> None:
    bad = [{"checksum": seen()["booted"]["checksum"], "version": "43", "why": "Docker does not answer"}]
    machine.now(state={**STATE, "bad": bad})
    error = refused("rollback", "matrix", "--dry-run")
    assert str(error) == (
        "matrix: the deployment before, 43, was bad here (Docker does not answer): "
        "zerotoil os unpin --forget matrix lets it come again"
    )
    assert error.code is Code.OS_NOT_DONE
    (line,) = [line for line in run("status", "matrix").output.splitlines() if line.startswith("  43 ")]
    assert line.endswith(" old, refused"), "and no more: to go back to"


@pytest.mark.parametrize("goes", [True, False])
def test_a_restart_may_end_the_connection_first(machine: Machine, goes: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    through, ended = machine.guest._shell, LabError("matrix: SSH failed ()", "zerotoil ssh matrix", code=Code.SSH_REFUSED)
    away = iter([True, True] if goes else [])

    def shell(script: str) -> str:
        if "os.sh reboot" in script:
            if goes:
                through(script)
            raise ended
        if "boot_id" in script and "findmnt" not in script and next(away, False):
            raise ended
        return through(script)

    monkeypatch.setattr(machine.guest, "_shell", shell)
    monkeypatch.setattr(os_wait, "_GOES_DOWN_SECONDS", 0)
    if goes:
        assert run("update", "--now", "--yes", "matrix").output.startswith("matrix: 45: the host restarts")
        assert next(away, None) is None, "it was waited for"
    else:
        assert refused("update", "--now", "--yes", "matrix") is ended


def test_an_update_that_restarts_at_once(machine: Machine) -> None:
    (machine.state / "says").write_text("staged 45\nrebooting\n")
    said = "a newer image is there, and the host restarts into it; zerotoil os status matrix says when it is judged"
    assert run("update", "matrix").output == f"matrix: {said}\n"


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (["update"], "it was not updated"),
        (["rollback", "--yes"], "it did not go back"),
        (["pin"], "it was not pinned"),
        (["unpin"], "it was not unpinned"),
    ],
)
def test_what_the_guest_could_not_do_is_said(machine: Machine, line: list[str], what: str) -> None:
    (machine.state / "says").write_text("failed no space left on device\n")
    error = refused(*line, "matrix")
    assert str(error) == f"matrix: {what}: no space left on device: zerotoil os status matrix"
    assert error.code is Code.OS_NOT_DONE


def test_a_stream_is_zincatis(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    declare(monkeypatch, os_strategy="immediate")
    error = refused("update", "matrix")
    assert str(error) == (
        "matrix: Zincati updates a stream by itself (os_source): zerotoil ssh matrix -- sudo rpm-ostree upgrade --bypass-driver"
    )
    assert error.code is Code.WRONG_OPTION


def test_a_host_that_is_left_alone(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    declare(monkeypatch)
    assert str(refused("status", "matrix")) == (
        "matrix: its OS is left to itself: declare os_strategy or os_source; "
        "stock CoreOS: zerotoil ssh matrix -- rpm-ostree status"
    )


def test_before_the_first_deploy(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = Machine(tmp_path_factory.mktemp("bare"), monkeypatch)
    monkeypatch.setattr(Site, "guest_now", lambda _site, _seconds=0: bare.guest)
    declare(monkeypatch, **WINDOW)
    error = refused("status", "matrix")
    assert str(error) == "matrix: what looks after its OS is not there yet: run the deploy"
    assert error.code is Code.NEEDS_ANOTHER_FIRST


def test_the_command_leaves_pythons_own_module_alone() -> None:
    """`zerotoil.cli.os` would have taken its place in the package."""
    import os
    import sys

    assert cli.get_command(None, "os") is os_updates.os  # type: ignore[arg-type]
    assert vars(sys.modules["zerotoil.cli"])["os"] is os
