"""`zerotoil delete-data`: from a terminal only, and not while a VM is defined with the volume."""

import subprocess
from pathlib import Path

import pytest

from tests.cli.terminal import converse
from tests.cli.test_plan_and_apply import ZEROTOIL
from tests.errors.sshd import INVENTORY, declared
from tests.errors.world import World
from tests.resources.hypervisor.conftest import NODE
from tests.resources.nas.conftest import KEY, connect
from tests.workflows.conftest import CONTENT, Machine
from zerotoil.cli.delete_data import delete_data
from zerotoil.clients.truenas import Nas
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.resources.nas.clone import Clone
from zerotoil.resources.nas.mark import dataset
from zerotoil.resources.nas.present import Swap, lineage, note_swap, present, take_over
from zerotoil.workflows.delete_data import delete, foreseen
from zerotoil.workflows.destroy import destroy

VOLUME = "tank/lab/matrix/data"


def test_not_while_its_vm_is_defined(machine: Machine) -> None:
    for on in (True, False):
        with pytest.raises(LabError, match="the VM matrix is defined, and may read it") as caught:
            delete(machine.site, VOLUME, VOLUME)
        assert caught.value.code is Code.VOLUME_ATTACHED
        if on:
            machine.site.hypervisor.power_off("matrix")
    assert machine.data()[1] == CONTENT
    destroy(machine.site)
    assert foreseen(machine.site, VOLUME) == [
        f"{VOLUME}: 20 GiB, 0 MiB used; nothing brings it back",
        "extent matrix",
        "target matrix",
    ]
    delete(machine.site, VOLUME, VOLUME)
    machine.site.nas.forget()
    assert dataset(machine.site.nas, VOLUME) is None


def test_what_an_undo_left_goes_while_the_vm_runs(machine: Machine) -> None:
    site, left = machine.site, f"{VOLUME}-undo-1"
    site.nas.write("pool.snapshot.create", {"dataset": VOLUME, "name": "then"})
    Clone(site.nas, left, f"{VOLUME}@then", {"owner": site.spec.owner, "state": "data"}).make()
    swap = Swap(VOLUME, left, "now", f"{VOLUME}@then")
    note_swap(site.spec, site.nas, swap)
    with pytest.raises(LabError) as caught:
        foreseen(site, left)
    assert caught.value.code is Code.SWAP_UNFINISHED, "a change of volumes that was cut off may need it"
    note_swap(site.spec, site.nas, None)
    delete(site, left, left)
    site.nas.forget()
    assert dataset(site.nas, left) is None
    assert dataset(site.nas, VOLUME) and machine.data()[1] == CONTENT


def test_after_the_present_volume_goes_the_one_before_it_serves(machine: Machine) -> None:
    """Two undos, and the newest is deleted: not the oldest data comes back, and its new snapshots are the host's again."""
    site, one, other = machine.site, f"{VOLUME}-undo-1", f"{VOLUME}-undo-2"
    site.nas.write("pool.snapshot.create", {"dataset": VOLUME, "name": "then"})
    for old, new, at in ((VOLUME, one, 100), (one, other, 200)):
        Clone(site.nas, new, f"{VOLUME}@then", {"owner": site.spec.owner, "state": "data"}).make()
        take_over(site.spec, site.nas, Swap(old, new, "now"), at)
    destroy(site)
    assert f"its place as the host's data: the next deploy takes {one}" in foreseen(site, other)
    delete(site, other, other)
    site.nas.forget()
    assert present(site.spec, site.nas) == one
    assert lineage(site.spec, site.nas)[0].tells(site.now().timestamp() + 1)
    delete(site, one, one)
    site.nas.forget()
    assert present(site.spec, site.nas) == VOLUME
    assert lineage(site.spec, site.nas)[0].tells(site.now().timestamp() + 1)


def test_not_while_another_vm_reads_it(machine: Machine) -> None:
    xml = machine.site.hypervisor.domain_xml("matrix")
    destroy(machine.site)
    lines = [line for line in xml.splitlines() if "<uuid>" not in line]
    machine.site.hypervisor.define("thief", "\n".join(lines).replace("<name>matrix<", "<name>thief<"))
    with pytest.raises(LabError, match="the VM thief is defined, and may read it"):
        delete(machine.site, VOLUME, VOLUME)


def test_there_is_no_way_around_the_question() -> None:
    assert {option for parameter in delete_data.params for option in parameter.opts} == {
        "-i", "--inventory", "host", "volume", "--dry-run",
    }  # fmt: skip


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, stack):  # type: ignore[no-untyped-def]
    """A folder with a host whose VM is gone, and its NAS."""
    world = World(tmp_path, monkeypatch, request, stack)
    sims = []
    monkeypatch.setattr(World, "sim", lambda w, made=world.sim: sims.append(made()) or sims[0])
    world.file("lab.py", INVENTORY.format(data=declared(world, 22), key=KEY))
    world.file("node.xml", NODE)
    nas = connect(sims[0])
    stack.callback(nas.close)
    return tmp_path, nas


def is_there(nas: Nas) -> bool:
    nas.forget()
    return dataset(nas, VOLUME) is not None


def test_from_a_terminal(project: tuple[Path, Nas]) -> None:
    folder, nas = project
    line = ["delete-data", "matrix", VOLUME, "-i", "lab.py"]
    code, screen = converse(line, folder, {}, {"Type the full name": ["yes"]})
    assert (code, is_there(nas)) == (1, True), screen
    assert f"'yes' is not {VOLUME}: nothing was deleted; type the full name [ZT118]" in screen
    code, screen = converse(line, folder, {}, {"Type the full name": [VOLUME]})
    assert (code, is_there(nas)) == (0, False), screen
    assert screen.endswith(f"matrix: {VOLUME} is deleted\n")


def test_without_a_terminal(project: tuple[Path, Nas]) -> None:
    folder, nas = project

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        line = [*ZEROTOIL, "delete-data", "matrix", VOLUME, "-i", "lab.py", *more]
        return subprocess.run(line, cwd=folder, capture_output=True, text=True, timeout=60, input=f"{VOLUME}\n")

    done = run()
    assert (done.returncode, done.stdout, is_there(nas)) == (1, "", True)
    assert done.stderr.startswith("data is deleted only from a terminal")
    done = run("--dry-run")
    assert (done.returncode, done.stderr, is_there(nas)) == (0, "", True)
    assert done.stdout.splitlines() == [
        f"matrix: would delete: {VOLUME}: 1 GiB, 0 MiB used; nothing brings it back",
        "matrix: would delete: extent matrix",
        "matrix: would delete: target matrix",
    ]
    assert run("--yes").returncode == 1  # there is no such option
