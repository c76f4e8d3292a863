"""Undo and return, on every version of the NAS: what goes back, what stays, and that an end anywhere loses nothing."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.hotplug import HotPlug, hotplug
from tests.resources.hypervisor.conftest import NODE
from tests.resources.nas.conftest import VERSIONS, apply, connect, host, plan, simulator
from zerotoil.clients.truenas import Nas
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers import Site
from zerotoil.layers.servers import servers
from zerotoil.layers.snapshots import look
from zerotoil.layers.timeline.look import swaps
from zerotoil.minilab.nas import Simulator, memory
from zerotoil.model.data_volume import DataMark, Filesystem, VolumeState
from zerotoil.model.spec import HostSpec
from zerotoil.render.domain import Provisioned, render_domain
from zerotoil.render.domain_mark import Made, Move
from zerotoil.resources.guest.swap import Pin
from zerotoil.resources.hypervisor import hot_disk
from zerotoil.resources.hypervisor.os_switch import change_mark
from zerotoil.resources.nas import target_iqn
from zerotoil.resources.nas.clone import origin_of
from zerotoil.resources.nas.mark import read_mark, write_mark
from zerotoil.resources.nas.present import Swap, lineage, note_swap, present, unfinished
from zerotoil.resources.nas.serve import served
from zerotoil.workflows import swap as swapping
from zerotoil.workflows.delete_data import delete as delete_data
from zerotoil.workflows.migrate_journey import Journey, Wish
from zerotoil.workflows.migrate_steps import check
from zerotoil.workflows.swap import STEPS, Swapping
from zerotoil.workflows.undo import go_on, look_ahead, look_back, undo

VOLUME, SNAPSHOT = "tank/lab/matrix/data", "auto-2026-11-25_02-00"
FILESYSTEM = Filesystem("ext4", "data", "6d3f1c1e-0000-4000-8000-00000000000a")
NEW = f"sha256:{'b' * 64}"
OLD = f"sha256:{'a' * 64}"


class Cut(Exception):
    """The run ends here."""


def entry(time: datetime, digest: str) -> dict[str, Any]:
    """What ledger.sh wrote then."""
    image = {"app": "web", "service": "db", "container": "web-db-1", "image": "r.lan/db:1", "id": digest}
    image["digest"] = f"r.lan/db@{digest}"
    stamp = time.strftime("%Y-%m-%dT%H-%M-%SZ")
    return {
        "name": stamp, "time": stamp, "boot": "b", "os": {"id": "fedora", "version": "44", "deployment": None}, "kernel": "6",
        "k3s": None, "apps": {"web": {"compose": "c", "override": "o", "quadlets": None, "pins": {}}}, "containers": [image],
    }  # fmt: skip


def story(now: datetime) -> list[dict[str, Any]]:
    """A ledger in which the image moved an hour after now; the last entry of the older one is from before the snapshot."""
    return [entry(now - timedelta(minutes=2), OLD), entry(now + timedelta(hours=1), NEW)]


@dataclass
class Lab:
    """One host with one app, whose image was updated after the snapshot. The guest only says what swap.sh would."""

    sim: Simulator
    nas: Nas
    spec: HostSpec
    hypervisor: HotPlug
    ledger: list[dict[str, Any]]
    said: list[str] = field(default_factory=list)
    busy: str = ""
    mounted: bool = True
    pinned: bool = False
    blocked: bool = False
    holds: bool = True  # an undo, not a return
    state: str = "active"  # of the app's unit once it is started
    unit: str = "zerotoil-app@web.service"
    waited: list[str] = field(default_factory=list)  # the units that were waited for
    clock: Iterator[datetime] = field(default_factory=lambda: (datetime.now(UTC) + timedelta(seconds=n) for n in count()))

    @property
    def site(self) -> Site:
        return Site(self.spec, Path(), shell=self.shell)

    def podman(self) -> None:
        """Let it be a host that runs its apps with podman."""
        self.spec = host(data_attach="network", apps=["web"], container_backend="podman")

    def attached(self) -> bool:
        return "matrix-data" in hot_disk.live_disks(self.hypervisor, "matrix")

    def shell(self, script: str) -> str:
        if "swap.sh" in script:
            verb = script.split()[2]
            self.said.append(verb)
            return getattr(self, verb)()
        if script.startswith("set -- freeze"):
            return "frozen 42\n"
        if script.startswith("set -- thaw"):
            return "thawed\n"
        if "systemctl show --property=ActiveState" in script:
            self.waited += [self.unit] if self.unit in script else []
            return f"ActiveState={self.state}\n"
        if "Prints the ledger" in script:
            return json.dumps({"entries": self.ledger, "unreadable": [], "told": []})
        if script == "true\n":
            return ""
        data = {"type": FILESYSTEM.type, "label": FILESYSTEM.label, "uuid": FILESYSTEM.uuid}
        return json.dumps({"data": data if self.mounted else None})

    def release(self) -> str:
        self.blocked = True
        if self.busy:
            return f"busy {self.busy}\n"
        self.mounted = False
        return "released\n"

    def take(self) -> str:
        assert self.attached()
        self.mounted = True
        return ""

    def pins(self) -> str:
        if not self.blocked:
            return ""
        assert self.mounted
        self.pinned = True
        return f"web db r.lan/db@{OLD}\n"

    def resume(self) -> str:
        assert self.mounted and (self.pinned or not self.holds), "no app may start before it is held at its old image"
        self.blocked = False
        return f"{self.unit}\nvar-mnt-data.mount\n"

    def volumes(self) -> set[str]:
        return {item.name for item in self.sim.storage.datasets() if item.volsize}

    def snapshots(self) -> set[str]:
        return {item.name for item in self.sim.storage.snapshots()}


@pytest.fixture(params=VERSIONS)
def lab(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    with simulator(request.param) as sim:
        made = build(sim, tmp_path, monkeypatch)
        yield guarded(made, monkeypatch)
        made.nas.close()


def build(sim: Simulator, folder: Path, monkeypatch: pytest.MonkeyPatch, **keys: Any) -> Lab:
    """A host that runs, with a snapshot of yesterday."""
    nas, spec = connect(sim), host(data_attach="network", apps=["web"], **keys)
    apply(nas, spec)
    write_mark(nas, spec.zvol, DataMark(spec.owner, VolumeState.DATA, FILESYSTEM))
    sim.storage.write(spec.zvol, "yesterday")
    sim.storage.snapshot([f"{name}@{SNAPSHOT}" for name in {spec.snapshot_dataset, spec.zvol}], {})
    sim.storage.write(spec.zvol, "today")
    made = Provisioned("test", "matrix-os-1.qcow2", "/matrix.ign", "0" * 64, "44", 1, booted=True)
    node = folder / "node.xml"
    node.write_text(NODE.replace("</node>", f"{render_domain(spec, made, iqn=target_iqn(spec, nas))}</node>"))
    hypervisor = hotplug(node)
    lab = Lab(sim, nas, spec, hypervisor, story(datetime.now(UTC)))
    monkeypatch.setattr(hot_disk, "_LOOK_SECONDS", 0.0)
    monkeypatch.setattr(servers, "nas", lambda _spec: nas)
    monkeypatch.setattr(servers, "hypervisor", lambda _spec: hypervisor)
    monkeypatch.setattr(Site, "now", lambda _site: next(lab.clock))
    monkeypatch.setattr(memory, "_now", lambda: int(next(lab.clock).timestamp()))  # one clock for all
    return lab


def guarded(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """A volume is never swapped under a disk that is plugged in or mounted, and none is ever deleted."""
    write = lab.nas.write

    def watched(method: str, *params: Any) -> Any:
        if method == "iscsi.extent.update" and "disk" in params[1]:
            running = lab.hypervisor.is_running("matrix")
            assert not running or (not lab.attached() and not lab.mounted)
        assert not method.endswith((".delete", ".rollback"))
        return write(method, *params)

    monkeypatch.setattr(lab.nas, "write", watched)
    return lab


def test_data_and_image_go_back_and_the_present_stays(lab: Lab) -> None:
    ahead = look_ahead(lab.site)
    assert (ahead.snapshot and ahead.snapshot.name, ahead.swap.old) == (SNAPSHOT, VOLUME)
    before = lab.snapshots()
    done = undo(lab.site, ahead)
    new = ahead.swap.new
    assert (present(lab.spec, lab.nas), served(lab.spec, lab.nas)) == (new, new)
    assert origin_of(lab.nas, new) == f"{VOLUME}@{SNAPSHOT}"
    assert lab.volumes() == {VOLUME, new}
    assert (lab.sim.storage.read(new), lab.sim.storage.read(VOLUME)) == ("yesterday", "today")
    assert before < lab.snapshots(), "none is gone, and one of the present was taken"
    assert done.safety.partition("@")[2] in {name.partition("@")[2] for name in lab.snapshots() - before}
    assert done.pins == [Pin("web", "db", f"r.lan/db@{OLD}")]
    assert lab.said == ["release", "take", "pins", "resume"]
    assert (lab.attached(), lab.mounted, unfinished(lab.spec, lab.nas)) == (True, True, None)


def test_the_deploy_follows(lab: Lab) -> None:
    """After it the plan is empty, its mark is on the new volume, and the snapshots of both are one list."""
    ahead = look_ahead(lab.site)
    undo(lab.site, ahead)
    assert plan(lab.nas, lab.spec) == []
    mark = read_mark(lab.nas, lab.site.volume)
    assert mark == DataMark("home/matrix", VolumeState.DATA, FILESYSTEM)
    assert [past.volume for past in lineage(lab.spec, lab.nas)] == [ahead.swap.new, VOLUME]
    assert SNAPSHOT in [one.name for one in look(lab.spec, lab.nas)]
    (event,) = swaps(lab.nas, lab.spec)
    assert (event.subject, event.new and event.new.name) == (SNAPSHOT, ahead.swap.new)


def test_what_will_go_back_is_shown(lab: Lab) -> None:
    writes = lab.nas.writes
    (image,) = look_ahead(lab.site).images
    assert (image.app, image.service, image.now, image.then) == ("web", "db", NEW, OLD)
    assert (lab.nas.writes, lab.said, lab.hypervisor.writes.total()) == (writes, [], 0)


def test_a_snapshot_with_which_the_same_images_ran_is_passed_over(lab: Lab) -> None:
    """Such as the one that an undo takes first: its data is that of today."""
    for _ in range(3):
        next(lab.clock)
    lab.sim.storage.snapshot([f"{VOLUME}@today"], {})
    lab.nas.forget()
    lab.ledger = [lab.ledger[0], entry(look(lab.spec, lab.nas)[0].created - timedelta(seconds=1), NEW)]
    ahead = look_ahead(lab.site)
    assert ahead.snapshot and ahead.snapshot.name == SNAPSHOT
    assert [image.then for image in ahead.images] == [OLD]
    assert look_ahead(lab.site, "latest").snapshot != ahead.snapshot


def two_snapshots(lab: Lab) -> None:
    """One more, of later."""
    for _ in range(3):
        next(lab.clock)
    lab.sim.storage.snapshot([f"{VOLUME}@today"], {})
    lab.nas.forget()


def test_another_release_of_k3s_is_an_update_too_and_is_shown(lab: Lab) -> None:
    two_snapshots(lab)
    old, new = lab.ledger[0], entry(look(lab.spec, lab.nas)[0].created - timedelta(seconds=1), OLD)
    lab.ledger = [old | {"k3s": "v1.36.3+k3s1"}, new | {"k3s": "v1.36.4+k3s1"}]
    ahead = look_ahead(lab.site)
    assert ahead.snapshot and ahead.snapshot.name == SNAPSHOT
    assert (ahead.k3s, ahead.images) == (("v1.36.4+k3s1", "v1.36.3+k3s1"), ())
    lab.ledger[0]["k3s"] = None
    assert look_ahead(lab.site).k3s is None, "its first install is no update"


def test_an_app_that_was_taken_off_since_was_not_updated(lab: Lab) -> None:
    """The newest snapshot goes back to before an update, not to when an app was there that nobody wants any more."""
    two_snapshots(lab)
    later = entry(look(lab.spec, lab.nas)[0].created - timedelta(seconds=1), OLD)
    lab.ledger = [lab.ledger[0], later | {"apps": {}, "containers": []}]
    ahead = look_ahead(lab.site)
    assert ahead.snapshot and ahead.snapshot.name != SNAPSHOT


def test_without_a_snapshot_from_before_the_update_none_is_guessed(lab: Lab) -> None:
    lab.ledger = story(datetime.now(UTC) - timedelta(days=1))
    with pytest.raises(LabError, match="no snapshot from before"):
        look_ahead(lab.site)
    assert look_ahead(lab.site, "latest").snapshot


def test_returning(lab: Lab) -> None:
    undo(lab.site, look_ahead(lab.site))
    new, lab.said[:], lab.holds = lab.site.volume, [], False
    undo(lab.site, look_back(lab.site))
    assert (present(lab.spec, lab.nas), served(lab.spec, lab.nas)) == (VOLUME, VOLUME)
    assert lab.said == ["release", "take", "resume"], "the present is as it was: nothing is held in it"
    assert lab.volumes() == {VOLUME, new}
    assert plan(lab.nas, lab.spec) == []
    saved = next(item.name for item in lab.sim.storage.snapshots() if item.dataset == new)
    assert f"{VOLUME}@{saved.partition('@')[2]}" in lab.snapshots(), "taken of both, as every snapshot of their dataset"
    assert saved.partition("@")[2] not in [one.name for one in look(lab.spec, lab.nas)], "this volume did not serve then"
    lab.sim.storage.snapshot([f"{VOLUME}@later"], {})
    lab.nas.forget()
    assert look(lab.spec, lab.nas)[0].name == "later"
    undo(lab.site, look_back(lab.site))
    assert present(lab.spec, lab.nas) == new, "and forth again"


@pytest.mark.parametrize("back", [False, True], ids=["undo", "return"])
@pytest.mark.parametrize("step", [step for step in STEPS if step != "done"])
def test_cut_off_anywhere_a_second_run_finishes(lab: Lab, step: str, back: bool) -> None:
    if back:
        undo(lab.site, look_ahead(lab.site))
        lab.pinned = lab.holds = False
    ahead = look_back(lab.site) if back else look_ahead(lab.site)

    def cut(done: str) -> None:
        if done == step:
            raise Cut

    try:
        Swapping(lab.site, ahead.swap, pin=not back, after=cut).run()
        assert back and step == "pinned", "every step is passed but the one that a return has not"
        return
    except Cut:
        pass
    if not unfinished(lab.spec, lab.nas):
        pytest.fail("what was begun is not written down")
    with pytest.raises(LabError, match="was interrupted") as caught:
        lab.site.nas_resources()
    assert caught.value.code is Code.SWAP_UNFINISHED
    go_on(lab.site).run()
    assert (present(lab.spec, lab.nas), served(lab.spec, lab.nas)) == (ahead.swap.new, ahead.swap.new)
    assert (lab.attached(), lab.mounted, lab.blocked, lab.pinned) == (True, True, False, not back)
    assert unfinished(lab.spec, lab.nas) is None
    clone = next(iter(lab.volumes() - {VOLUME}))
    assert (lab.sim.storage.read(clone), lab.sim.storage.read(VOLUME)) == ("yesterday", "today")
    of_old = [item for item in lab.sim.storage.snapshots() if item.dataset == ahead.swap.old]
    saved = [item for item in of_old if ahead.swap.began in str(item.local)]
    assert len(saved) == 1, "the present is saved once"


def test_a_busy_disk_costs_a_shutdown(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.busy = "postgres (812)"

    def booted(_site: Site) -> Any:
        lab.mounted, lab.busy = True, ""
        return Site.guest_now(_site)

    def off(spec: HostSpec, hypervisor: HotPlug) -> None:
        lab.mounted = False
        hypervisor.power_off(spec.name)

    running = [swapping.Running(lab.spec, lab.hypervisor, None)]  # type: ignore[arg-type]
    monkeypatch.setattr(swapping, "_answering", booted)
    monkeypatch.setattr(Site, "vm_resources", lambda _site: running)
    monkeypatch.setattr(swapping, "shutdown", off)
    said: list[str] = []
    site = Site(lab.spec, Path(), shell=lab.shell, say=said.append)
    undo(site, look_ahead(site))
    assert "the data disk is kept busy by postgres (812): shutting the VM down for it" in said
    assert (served(lab.spec, lab.nas), lab.pinned, lab.blocked) == (site.volume, True, False)
    assert site.volume != VOLUME


def test_a_nas_that_refuses_half_way_leaves_the_host_as_it_was(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is out by then: it comes back in, and what was stopped is started."""
    write, lab.holds = lab.nas.write, False

    def refusing(method: str, *params: Any) -> Any:
        if method == "iscsi.extent.update":
            raise LabError("device busy", code=Code.NAS_REFUSED)
        return write(method, *params)

    monkeypatch.setattr(lab.nas, "write", refusing)
    with pytest.raises(LabError, match="device busy"):
        undo(lab.site, look_ahead(lab.site))
    assert lab.said == ["release", "take", "resume"]
    assert (lab.attached(), lab.mounted, lab.blocked) == (True, True, False)
    assert (served(lab.spec, lab.nas), present(lab.spec, lab.nas), unfinished(lab.spec, lab.nas)) == (VOLUME, VOLUME, None)


def test_another_filesystem_starts_no_app(lab: Lab) -> None:
    ahead = look_ahead(lab.site)

    def cut(done: str) -> None:
        if done == "cloned":
            write_mark(lab.nas, ahead.swap.new, DataMark("home/matrix", VolumeState.DATA, Filesystem("ext4", "data", "other")))

    with pytest.raises(LabError, match='is recorded as ext4 "data" other') as caught:
        Swapping(lab.site, ahead.swap, pin=True, after=cut).run()
    assert (caught.value.code, lab.blocked) == (Code.DATA_DIFFERS, True)


def test_a_full_pool_leaves_all_as_it_was(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    ahead, write = look_ahead(lab.site), lab.nas.write

    def full(method: str, *params: Any) -> Any:
        if method.endswith(".clone"):
            raise LabError("out of space", code=Code.NAS_REFUSED)
        return write(method, *params)

    monkeypatch.setattr(lab.nas, "write", full)
    with pytest.raises(LabError, match="out of space"):
        undo(lab.site, ahead)
    assert (lab.said, lab.attached(), served(lab.spec, lab.nas)) == ([], True, VOLUME)


@pytest.mark.parametrize(
    ("to", "until", "said"),
    [
        ("auto-2026-11-25_02-01", None, rf"no snapshot auto-2026-11-25_02-01: the nearest are {SNAPSHOT}"),
        ("", datetime(2020, 1, 1, tzinfo=UTC), f"no snapshot from before 2020-01-01 .*: the oldest is {SNAPSHOT}"),
    ],
)
def test_a_snapshot_that_is_not_there(lab: Lab, to: str, until: datetime | None, said: str) -> None:
    with pytest.raises(LabError, match=said) as caught:
        look_ahead(lab.site, to, until)
    assert (caught.value.code, lab.said) == (Code.NO_SUCH_SNAPSHOT, [])


def test_what_cannot_be_undone_is_said_before_anything_is_touched(lab: Lab) -> None:
    with pytest.raises(LabError, match="there is nothing to return to") as caught:
        look_back(lab.site)
    assert caught.value.code is Code.NOTHING_TO_UNDO
    with pytest.raises(LabError, match="no undo was interrupted"):
        go_on(lab.site)
    lab.hypervisor.power_off("matrix")
    with pytest.raises(LabError, match="the VM is off"):
        look_ahead(lab.site)
    assert lab.said == []


def test_the_schedule_follows_a_volume_that_it_is_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a volume that lies elsewhere: nothing around it has a task that would take the clone too."""
    with simulator() as sim:
        lab = build(sim, tmp_path, monkeypatch, data_volume="tank/matrix")
        undo(lab.site, look_ahead(lab.site))
        tasks = {task["dataset"] for task in lab.nas.query("pool.snapshottask") if task["enabled"]}
        assert lab.site.volume in tasks and lab.site.volume != "tank/matrix"
        assert plan(lab.nas, lab.spec) == []
        lab.nas.close()


def test_an_undo_and_a_change_of_the_os_wait_for_each_other(lab: Lab) -> None:
    note_swap(lab.spec, lab.nas, Swap(VOLUME, f"{VOLUME}-undo-1", "now"))
    with pytest.raises(LabError, match="an undo .* was interrupted") as caught:
        check(Journey(lab.site, Wish()))
    assert caught.value.code is Code.SWAP_UNFINISHED
    note_swap(lab.spec, lab.nas, None)
    move = Move(Made(1), Made(2))
    change_mark(lab.spec, lab.hypervisor, lambda mark: replace(mark, move=move))
    for foreseen in (look_ahead, look_back):
        with pytest.raises(LabError, match="a change of OS disks, from OS disk 1 .* was cut off") as caught:
            foreseen(lab.site)
        assert caught.value.code is Code.NEEDS_ANOTHER_FIRST
    assert lab.said == []


def test_a_volume_of_an_undo_that_is_gone_is_never_made_anew(lab: Lab) -> None:
    """Not even where no VM and no extent are left that tell of it."""
    undo(lab.site, look_ahead(lab.site))
    new = lab.site.volume
    (extent,) = lab.nas.query("iscsi.extent")
    lab.sim.nas.state.remove("iscsi.extent", extent["id"])
    lab.sim.storage.destroy(new)
    lab.nas.forget()
    with pytest.raises(LabError, match=f"zvol {new} is gone") as caught:
        apply(lab.nas, lab.spec)
    assert (caught.value.code, lab.volumes()) == (Code.VOLUME_GONE, {VOLUME})


def test_the_declared_volume_is_the_hosts_again_when_the_other_is_deleted(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    undo(lab.site, look_ahead(lab.site))
    new = lab.site.volume
    monkeypatch.undo()
    monkeypatch.setattr(servers, "nas", lambda _spec: lab.nas)
    monkeypatch.setattr(servers, "hypervisor", lambda _spec: lab.hypervisor)
    lab.hypervisor.power_off("matrix")
    lab.hypervisor.undefine("matrix")
    with pytest.raises(LabError, match="is not"):
        delete_data(lab.site, new, "another")
    assert lab.site.volume == new
    delete_data(lab.site, new, new)
    assert (lab.site.volume, lab.volumes(), lab.sim.storage.read(VOLUME)) == (VOLUME, {VOLUME}, "today")


def test_an_app_that_does_not_come_up_is_said_with_the_way_back(lab: Lab) -> None:
    lab.state = "failed"
    with pytest.raises(LabError, match="the data is back, and app web did not come up") as caught:
        undo(lab.site, look_ahead(lab.site))
    assert (caught.value.code, unfinished(lab.spec, lab.nas)) == (Code.UNDO_UNHEALTHY, None)
    assert "zerotoil undo matrix --return" in caught.value.remedy


def test_podmans_apps_go_back_too(lab: Lab) -> None:
    lab.podman()
    for item in lab.ledger:
        item["apps"] = {"web": {"compose": None, "override": None, "quadlets": "q", "pins": {}}}
    lab.unit = "zerotoil-up-web.service"
    done = undo(lab.site, look_ahead(lab.site))
    assert (done.pins, lab.waited) == ([Pin("web", "db", f"r.lan/db@{OLD}")], [lab.unit])
    assert (present(lab.spec, lab.nas), lab.blocked) == (lab.site.volume, False)


def test_a_snapshot_of_the_other_engine_is_refused(lab: Lab) -> None:
    lab.podman()
    with pytest.raises(LabError, match=f"the apps of {SNAPSHOT} ran under docker, not under podman") as caught:
        look_ahead(lab.site)
    assert (caught.value.code, lab.said) == (Code.UNDO_OTHER_ENGINE, [])
