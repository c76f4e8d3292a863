"""`zerotoil restore` as a person runs it; what only the stand-in hypervisor can do is called with it in this process."""

import json
from collections.abc import Callable, Iterator

import pytest
from click.testing import CliRunner, Result

from tests.cli.test_snapshots import Project, project  # noqa: F401  (a fixture)
from tests.workflows.restore_lab import Lab
from tests.workflows.test_restore import SERIAL, SNAPSHOT, make  # noqa: F401  (a fixture)
from zerotoil.cli import restore as command
from zerotoil.cli.restore import restore
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers import Site
from zerotoil.resources.guest import Guest


@pytest.fixture
def here(make: Callable[..., Lab], monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:  # noqa: F811
    lab = make()
    monkeypatch.setattr(command, "find", lambda _host, _inventory: lab.spec)
    monkeypatch.setattr(Site, "running_guest", lambda _site, _seconds=0, **_options: Guest("matrix", lab.shell))
    yield lab


def run(*line: str) -> Result:
    return CliRunner().invoke(restore, ["matrix", *line], catch_exceptions=False)


def test_from_beginning_to_end(here: Lab) -> None:
    before = here.everything()
    dry = run("latest", "--beside", "--as", "x", "--dry-run")
    assert dry.output.splitlines()[0] == "matrix: would see to, where it is not so already:"
    assert "  read-only mount at /var/mnt/restore/x" in dry.output.splitlines()
    assert here.everything() == before
    assert run("--list").output == "matrix: nothing is beside its data\n"

    done = run("latest", "--beside", "--as", "x")
    assert done.exit_code == 0
    assert done.output.splitlines()[-2:] == [
        f"matrix: tank/lab/matrix/data@{SNAPSHOT} is at /var/mnt/restore/x, read-only",
        "matrix: when you are done: zerotoil restore matrix --drop x",
    ]
    listed = run("--list")
    (row,) = ([cell.strip() for cell in line.split("│")[1:-1]] for line in listed.output.splitlines() if "│" in line)
    assert row == ["x", SNAPSHOT, "now", "0 B", "mounted read-only at /var/mnt/restore/x"]
    assert listed.output.splitlines()[-1] == "zerotoil restore matrix --drop x"

    made = here.everything()
    assert f"disk {SERIAL}" in run("--drop", "x", "--dry-run").output
    assert here.everything() == made
    assert run("--drop", "x").output.splitlines()[-1] == "matrix: x is taken apart"
    assert here.everything() == before


def test_what_was_left_behind_is_listed_with_both_ways_out(here: Lab) -> None:
    here.sim.faults.fail["iscsi.target.create"] = (28, "full")
    with pytest.raises(LabError):
        run(SNAPSHOT, "--beside", "--as", "x")
    finish = f"zerotoil restore matrix tank/lab/matrix/data@{SNAPSHOT} --beside --as x"
    assert run("--list").output.splitlines()[-1] == f"zerotoil restore matrix --drop x   or finish it: {finish}"
    shown = json.loads(run("--list", "--json").output)
    (one,) = shown["restores"]
    assert isinstance(one.pop("taken"), str)
    assert (shown["host"], shown["problems"]) == ("matrix", [])
    assert one == {
        "name": "x", "volume": "data", "snapshot": f"tank/lab/matrix/data@{SNAPSHOT}", "used": 0, "mount": None,
        "has": ["clone", "its mark", "extent"], "lacks": ["target", "mapping", "disk", "mount"], "unknown": [],
        "finish": finish, "drop": "zerotoil restore matrix --drop x",
    }  # fmt: skip


def test_a_list_that_is_not_whole(here: Lab) -> None:
    run(SNAPSHOT, "--beside", "--as", "x")
    here.answers = False
    seen = run("--list")
    assert seen.exit_code == 1 and "not known: mount" in seen.output
    assert seen.output.splitlines()[-1] == "matrix: no answer over SSH in 60 s [ZT406]"
    shown = json.loads(run("--list", "--json").stdout.partition("\nmatrix:")[0])
    assert [problem["code"] for problem in shown["problems"]] == [Code.GUEST_SILENT]


@pytest.mark.parametrize(
    "line",
    [
        [], ["x"], ["--beside"], ["x", "--list"], ["x", "--drop", "y"], ["x", "--beside", "--list"], ["--list", "--drop", "y"],
        ["--list", "--as", "y"], ["--drop", "y", "--writable"], ["--drop", "y", "--json"], ["x", "--beside", "--json"],
    ],
)  # fmt: skip
def test_options_that_say_two_things_or_none(line: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "find", lambda *_: pytest.fail("nothing was looked up"))
    with pytest.raises(LabError) as caught:
        run(*line)
    assert caught.value.code is Code.WRONG_OPTION


def test_a_whole_process(project: Project) -> None:  # noqa: F811
    assert project.run("snapshot", "matrix", "-i", "lab.py").returncode == 0
    unknown = project.run("restore", "matrix", "manuel", "--beside", "-i", "lab.py")
    assert unknown.returncode == 1 and unknown.stderr.rstrip().endswith("[ZT532]"), unknown.stderr
    assert unknown.stderr.startswith("matrix: its data has no snapshot manuel: the nearest are manual-2")
    empty = project.run("restore", "matrix", "--list", "-i", "lab.py")
    assert (empty.returncode, empty.stdout, empty.stderr) == (0, "matrix: nothing is beside its data\n", "")
    nothing = project.run("restore", "matrix", "--drop", "x", "-i", "lab.py")
    assert nothing.returncode == 1 and "there is no restore x" in nothing.stderr
    dry = project.run("restore", "matrix", "latest", "--beside", "--dry-run", "-i", "lab.py")
    assert (dry.returncode, len(dry.stdout.splitlines())) == (0, 8), dry.stderr
    assert project.nas.query("iscsi.extent")[-1]["name"] == "matrix"
