"""Hosts with more volumes than one: what a deploy makes of them, what it leaves alone, and what it refuses."""

import json
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from tests.conftest import make_spec
from tests.layers.conftest import FILESYSTEM, PretendLab
from tests.layers.test_plan import planned
from zerotoil.cli.status import _row
from zerotoil.clients import device
from zerotoil.clients.device import Unreadable
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers import Site
from zerotoil.layers.apps import judge
from zerotoil.layers.notices import notices
from zerotoil.model.data_volume import DataMark, Filesystem, Finding, VolumeState
from zerotoil.model.spec import HostSpec
from zerotoil.render.domain_mark import Mark
from zerotoil.resources.guest.mounted import Mounted
from zerotoil.resources.guest.own import OwnFiles
from zerotoil.resources.hypervisor.domain import wanted
from zerotoil.resources.nas.mark import read_mark, write_mark

MORE = {"media": {"size": "2 GiB", "filesystem": "xfs"}, "db": {"size": "1 GiB"}}
MEDIA = Filesystem("xfs", "media", "0e64d2c1-0000-4000-8000-000000000001")
DB = Filesystem("ext4", "db", "0e64d2c1-0000-4000-8000-000000000002")
PATHS = {name: f"tank/lab/matrix/{name}" for name in ("data", "media", "db")}


def seen(filesystem: Filesystem) -> dict[str, str]:
    return {"source": "/dev/vdx", "type": filesystem.type, "label": filesystem.label, "uuid": filesystem.uuid}


def guest(**facts: Any) -> Any:
    """A guest that has all of them mounted, unless said otherwise."""
    known = {
        "data": seen(FILESYSTEM),
        "mounts": {"/var/mnt/media": seen(MEDIA), "/var/mnt/db": seen(DB)},
        "mount_units": ["var-mnt-data.mount", "var-mnt-media.mount", "var-mnt-db.mount"],
        "units": {}, "containers": [], "notify_sha256": "",
    }  # fmt: skip
    return lambda _script: json.dumps({**known, **facts})


OLD_OS = {"mounts": {}, "mount_units": ["var-mnt-data.mount"]}


def site_of(lab: PretendLab, shell: Any = None, **keys: Any) -> Site:
    site = lab.site(**{"data_more": MORE, **keys})
    return Site(site.spec, site.root, shell=shell or guest())


def marks(site: Site) -> dict[str, DataMark | None]:
    site.nas.forget()
    return {name: read_mark(site.nas, path) for name, path in PATHS.items()}


def disks(site: Site, live: bool = False) -> list[tuple[str, str]]:
    site.hypervisor.forget()
    tree = etree.fromstring(site.hypervisor.domain_xml("matrix", live=live).encode())
    return [(disk.findtext("serial", ""), disk.find("target").get("dev")) for disk in tree.findall("devices/disk")]  # type: ignore[union-attr]


ALL_DISKS = [("os", "vda"), ("matrix-data", "vdb"), ("matrix-media", "vdc"), ("matrix-db", "vdd")]


def test_a_new_host_gets_them_all_and_each_is_recorded(lab: PretendLab) -> None:
    site = site_of(lab)
    lab.apply(site)
    assert disks(site) == ALL_DISKS
    recorded = {"data": FILESYSTEM, "media": MEDIA, "db": DB}
    assert marks(site) == {name: DataMark("home/matrix", VolumeState.DATA, found) for name, found in recorded.items()}
    (host,) = planned(site_of(lab))
    assert host.changes == [] and host.problems == [] and lab.apply(site_of(lab)) == []


def test_first_boot_is_written_on_each_before_the_start(lab: PretendLab) -> None:
    site = site_of(lab)
    for resource in [*site.nas_resources(), *site.vm_resources()]:
        resource.apply()
    assert {mark.state for mark in marks(site).values() if mark} == {VolumeState.FIRST_BOOT}


def test_one_more_on_a_running_host_waits_and_is_formatted_by_nobody(lab: PretendLab) -> None:
    lab.apply(lab.site())
    lab.settle(lab.site())
    site = site_of(lab, guest(**OLD_OS))
    (host,) = planned(site)
    restarts = {change.field: f"{change.before} -> {change.after}" for change in host.changes if change.risk == "restart"}
    assert restarts["disk matrix-media"] == f"absent -> network {site.iqn}/1" and not host.problems
    lab.apply(site)
    assert disks(site) == ALL_DISKS and disks(site, live=True) == ALL_DISKS[:2]
    assert marks(site)["media"] == DataMark("home/matrix", VolumeState.FIRST_BOOT), (
        "whoever uses it there now: it is blank no more"
    )
    (host,) = planned(site_of(lab, guest(**OLD_OS)))
    assert host.changes == [] and host.problems == []
    assert {str(notice.kind) for notice in notices(site)} == {"deferred", "reprovision needed"}


def test_one_that_is_declared_no_more_stays_with_the_vm_and_on_the_nas(lab: PretendLab) -> None:
    """The OS disk that runs still mounts it, and so does the one that a migration may go back to."""
    lab.apply(site_of(lab))
    fewer = site_of(lab, data_more={"media": MORE["media"]})
    (host,) = planned(fewer)
    assert [(change.resource, change.field) for change in host.changes] == [("VM matrix", "mark")] or host.changes == []
    lab.apply(fewer)
    assert disks(fewer) == ALL_DISKS
    assert marks(fewer)["db"] == DataMark("home/matrix", VolumeState.DATA, DB)
    (host,) = planned(site_of(lab, data_more={"media": MORE["media"]}))
    assert host.changes == [] and host.problems == []


def test_another_serial_is_mended_in_place(lab: PretendLab) -> None:
    lab.apply(site_of(lab))
    other = site_of(lab, data_more={**MORE, "db": {**MORE["db"], "serial": "elephant"}})
    lab.apply(other)
    assert disks(other) == [*ALL_DISKS[:3], ("elephant", "vdd")]
    (host,) = planned(site_of(lab, data_more={**MORE, "db": {**MORE["db"], "serial": "elephant"}}))
    assert host.changes == []


def test_a_name_that_somebodys_disk_has_is_left_to_it(lab: PretendLab) -> None:
    site = lab.site()
    lab.apply(site)
    xml = site.hypervisor.definition("matrix")
    theirs = (
        "<disk type='file' device='disk'><source file='/x'/><target dev='vdc' bus='virtio'/><serial>x</serial></disk></devices>"
    )
    site.hypervisor.define("matrix", xml.replace("</devices>", theirs))
    lab.apply(site_of(lab))
    assert sorted(disks(site)) == sorted([*ALL_DISKS[:2], ("x", "vdc"), ("matrix-media", "vdd"), ("matrix-db", "vde")])


def problems(site: Site) -> list[tuple[Code, str]]:
    (host,) = planned(site)
    return [(problem.code, problem.what) for problem in host.problems]


@pytest.mark.parametrize(
    ("facts", "code", "said"),
    [
        ({"mounts": {"/var/mnt/db": seen(DB)}}, Code.DATA_NOT_MOUNTED, "matrix: /var/mnt/media is not mounted"),
        (
            {"mounts": {"/var/mnt/media": seen(DB), "/var/mnt/db": seen(DB)}},
            Code.DATA_DIFFERS,
            f'matrix: the volume media holds {DB}, declared is xfs "media"',
        ),
        (
            {"mounts": {"/var/mnt/media": {**seen(MEDIA), "uuid": "other"}, "/var/mnt/db": seen(DB)}},
            Code.DATA_DIFFERS,
            f'matrix: /var/mnt/media is xfs "media" other, but the volume media is recorded as {MEDIA}',
        ),
    ],
)
def test_a_mount_that_is_not_what_it_should_be_is_said(lab: PretendLab, facts: dict[str, Any], code: Code, said: str) -> None:
    lab.apply(site_of(lab))
    assert problems(site_of(lab, guest(**facts))) == [(code, said)]


def test_a_lost_one_that_the_vm_ran_with_is_never_made_anew(lab: PretendLab) -> None:
    site = site_of(lab)
    lab.apply(site)
    site.nas.write("pool.dataset.delete", PATHS["media"])  # takes the extent with it, as TrueNAS does
    before = lab.sim.writes
    codes = [code for code, what in problems(site_of(lab)) if "matrix/media is gone, and its VM ran with it before" in what]
    assert codes == [Code.VOLUME_GONE]
    with pytest.raises(LabError, match="matrix/media is gone"):
        lab.apply(site_of(lab))
    assert lab.sim.writes == before


BLANK, XFS = Finding(blank=True), Finding(filesystem=MEDIA)


@pytest.mark.parametrize(
    ("found", "mark", "code"),
    [
        (BLANK, DataMark("home/matrix", VolumeState.BLANK), None),
        (XFS, DataMark("home/matrix", VolumeState.DATA, MEDIA), None),
        (BLANK, DataMark("home/matrix", VolumeState.DATA, MEDIA), Code.GUARD_EMPTY_NOW),
        (Finding(other="a dos partition table"), DataMark("home/matrix", VolumeState.BLANK), Code.GUARD_PARTITION_TABLE),
        (Finding(filesystem=DB), DataMark("home/matrix", VolumeState.BLANK), Code.GUARD_FOREIGN_FILESYSTEM),
        (Unreadable("no answer"), DataMark("home/matrix", VolumeState.FIRST_BOOT), Code.GUARD_UNREADABLE),
        (BLANK, DataMark("home/other", VolumeState.BLANK), Code.GUARD_NO_MARK),
    ],
)
def test_the_guard_wants_proof_of_every_volume(
    lab: PretendLab, monkeypatch: pytest.MonkeyPatch, found: Any, mark: DataMark, code: Code | None
) -> None:
    site = site_of(lab)
    for resource in site.nas_resources():
        resource.apply()
    write_mark(site.nas, PATHS["media"], mark)
    read: list[tuple[int, str]] = []

    def probe(spec: HostSpec, _iqn: str) -> Any:
        read.append((spec.iscsi.lun, spec.data.filesystem))
        return found if spec.data.serial == "matrix-media" else BLANK

    monkeypatch.undo()
    monkeypatch.setattr(device, "probe", probe)
    if code is None:
        site.before_first_boot()
        assert read == [(0, "ext4"), (1, "xfs"), (2, "ext4")]
        return
    with pytest.raises(LabError) as caught:
        site.before_first_boot()
    assert caught.value.code is code and "the volume media" in caught.value.what


def test_a_disk_that_was_in_a_vm_before_is_blank_only_when_it_was_read(lab: PretendLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody may have used it there by hand, and Ignition would take a partition table for nothing."""
    lab.apply(lab.site())
    lab.settle(lab.site())
    site = site_of(lab, guest(**OLD_OS))
    for resource in site.nas_resources():
        resource.apply()
    found: dict[str, Any] = {"matrix-data": Finding(filesystem=FILESYSTEM)}
    monkeypatch.undo()
    monkeypatch.setattr(device, "probe", lambda spec, _iqn: found.get(spec.data.serial, Unreadable("no answer")))
    site.before_first_boot()  # no VM had them yet
    for resource in site.vm_resources():
        resource.apply()
    with pytest.raises(LabError, match="a first boot was started with the volume media, and it cannot be read") as caught:
        site.before_first_boot()
    assert caught.value.code is Code.GUARD_UNREADABLE
    found |= {"matrix-media": BLANK, "matrix-db": BLANK}
    site.before_first_boot()


def test_no_new_vm_while_another_one_reads_one_of_them(lab: PretendLab) -> None:
    site = site_of(lab)
    lab.apply(site)
    tree = etree.fromstring(site.hypervisor.definition("matrix").encode())
    tree.find("name").text = "other"  # type: ignore[union-attr]
    for gone in [tree.find("uuid"), *tree.findall("devices/disk")[:2], *tree.findall("devices/interface")]:
        gone.getparent().remove(gone)  # type: ignore[union-attr]
    site.hypervisor.define("other", etree.tostring(tree, encoding="unicode"))
    site.hypervisor.run("test", lambda: site.hypervisor.connection.lookupByName("matrix").destroy())
    site.hypervisor.undefine("matrix")
    assert (Code.VOLUME_USED_TWICE, "matrix: its volume media is read by the VM other already") in problems(site_of(lab))


COMPOSE = "services:\n  web:\n    image: registry.lan/web:1\n    volumes:\n      - {}\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "apps/web").mkdir(parents=True)
    return tmp_path


def judged(root: Path, mount: str, **keys: Any) -> list[str]:
    (root / "apps/web/compose.yaml").write_text(COMPOSE.format(mount))
    return [str(problem) for problem in judge(make_spec(apps=["web"], **keys), root).problems]


def test_an_app_keeps_data_on_a_declared_volume_as_on_the_data_disk(root: Path) -> None:
    assert judged(root, "/var/mnt/media/films:/films:z", data_more=MORE) == []
    assert judged(root, "/mnt/media/films:/films:z", data_more=MORE) == []
    (said,) = judged(root, "/var/mnt/media/films:/films", data_more=MORE)
    assert "has no SELinux label" in said
    assert any("is outside the app's folder" in line for line in judged(root, "/var/mnt/other:/films", data_more=MORE))
    assert any("is outside the app's folder" in line for line in judged(root, "/var/mnt/media/films:/films"))


def test_no_app_is_touched_while_its_volume_is_not_there(lab: PretendLab) -> None:
    (lab.folder / "apps/web").mkdir(parents=True)
    (lab.folder / "apps/web/compose.yaml").write_text(COMPOSE.format("/var/mnt/media/films:/films:z"))
    lab.apply(lab.site())
    site = site_of(lab, guest(**OLD_OS), apps=["web"])
    kinds = [type(one) for one in site.guest_resources()]
    assert kinds.index(Mounted) < kinds.index(OwnFiles), "before the units of its apps are written"
    first = site.guest_resources()[kinds.index(Mounted)]
    for ask in (first.plan, first.apply):
        with pytest.raises(LabError, match="web keeps data at /var/mnt/media, and the OS disk was made without that") as caught:
            ask()
        assert caught.value.code is Code.DATA_NOT_MOUNTED
    now = site_of(lab, apps=["web"])
    assert [one.plan() for one in now.guest_resources() if isinstance(one, Mounted)] == [[]]


def test_a_vm_that_keeps_the_login_of_somebody_else_has_one_volume() -> None:
    mark = Mark("home/matrix", 1, "", "", former="<domain/>")
    with pytest.raises(LabError, match="keeps the login of its one data disk") as caught:
        wanted(make_spec(data_more=MORE), None, etree.Element("domain"), mark, "iqn")  # type: ignore[arg-type]
    assert caught.value.code is Code.VM_UNFIT_TO_ADOPT


def test_such_an_app_starts_on_no_os_disk_that_was_made_without_its_volume(lab: PretendLab) -> None:
    for name, mount in (("web", "/var/mnt/media/films:/films:z"), ("other", "./data:/data:Z")):
        (lab.folder / f"apps/{name}").mkdir(parents=True)
        (lab.folder / f"apps/{name}/compose.yaml").write_text(COMPOSE.format(mount))
    site = site_of(lab, apps=["web", "other"])
    (own,) = (one for one in site.guest_resources() if isinstance(one, OwnFiles))
    dropins = {file.path.rpartition("/units/")[2]: file.content for file in own.files if "/zerotoil-app@" in file.path}
    dropins.pop("zerotoil-app@.service", None)
    lines = "RequiresMountsFor=/var/mnt/media\nAssertPathIsMountPoint=/var/mnt/media\n"
    assert dropins == {"zerotoil-app@web.service.d/zerotoil.conf": f"[Unit]\n{lines}"}


def test_the_same_holds_for_containers_of_podman(root: Path) -> None:
    (root / "apps/web/compose.yaml").write_text(COMPOSE.format("/var/mnt/media/films:/films:z"))
    spec = make_spec(apps=["web"], container_backend="podman", data_more=MORE)
    (text,) = (text for name, text in judge(spec, root).quadlets["web"].items() if name.endswith(".container"))
    assert (
        "[Unit]" in text.partition("RequiresMountsFor=/var/mnt/media\nAssertPathIsMountPoint=/var/mnt/media\n")[0]
        and "/var/mnt/db" not in text
    )
    assert text.index("AssertPathIsMountPoint") < text.index("[Container]")


def test_status_shows_each(lab: PretendLab) -> None:
    site = site_of(lab)
    lab.apply(site)
    assert _row(site.spec)[4].splitlines() == [
        f"tank/lab/matrix/data (20 GiB, {FILESYSTEM})",
        f"tank/lab/matrix/media (2 GiB, {MEDIA})",
        f"tank/lab/matrix/db (1 GiB, {DB})",
    ]
    assert _row(site_of(lab, data_more={"new": {"size": "1 GiB"}}).spec)[4].splitlines()[1] == "tank/lab/matrix/new absent"
