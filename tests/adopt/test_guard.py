"""Adopted and partitioned volumes before a first boot: no path lets Ignition format one."""

import itertools
import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.conftest import make_spec
from zerotoil.clients import butane, device
from zerotoil.clients.device import Unreadable
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers import Site
from zerotoil.model.data_volume import GPT, DataMark, Filesystem, Finding, VolumeState
from zerotoil.model.volumes import volumes
from zerotoil.render.butane import TEMPLATES, render_butane
from zerotoil.resources import guard
from zerotoil.resources.data_volume import DataRecord
from zerotoil.resources.guest import Guest

WANT = Filesystem("ext4", "data")
OURS = Filesystem("ext4", "data", "uuid-1")
OTHER = Filesystem("ext4", "data", "uuid-2")
DARK = Unreadable("no qemu-img")
FINDINGS = [
    Finding(blank=True), Finding(), Finding(filesystem=OURS), Finding(filesystem=OTHER), Finding(other=GPT), DARK,
    Finding(filesystem=Filesystem("xfs", "data", "uuid-1")), Finding(filesystem=Filesystem("ext4", "", "uuid-1")),
    Finding(other="a dos partition table"), Finding(other="LVM2_member"), Finding(other=GPT, partition=OURS),
    Finding(other=GPT, partition=OTHER), Finding(other="a dos partition table", partition=OURS),
]  # fmt: skip
MARKS = [
    DataMark("home/matrix", state, filesystem, adopted)
    for state, filesystem, adopted in itertools.product(VolumeState, (None, OURS), (False, True))
]


def verdict(mark: DataMark, found: Finding | Unreadable, label: str | None = None) -> guard.Allowed | guard.Refused:
    return guard.verdict(host="matrix", want=WANT, owner="home/matrix", mark=mark, found=found, partlabel=label)


def test_an_adopted_volume_boots_only_with_the_filesystem_that_is_declared() -> None:
    """Ignition keeps a filesystem of the declared type and label, and formats what has none."""
    for mark, found in itertools.product([mark for mark in MARKS if mark.adopted], FINDINGS):
        if isinstance(verdict(mark, found), guard.Allowed):
            assert isinstance(found, Finding) and found.filesystem
            assert (found.filesystem.type, found.filesystem.label) == ("ext4", "data")


def test_an_adopted_volume_is_refused_wherever_another_is() -> None:
    for mark, found in itertools.product([mark for mark in MARKS if not mark.adopted], FINDINGS):
        if isinstance(verdict(mark, found), guard.Refused):
            adopted = DataMark(mark.owner, mark.state, mark.filesystem, adopted=True)
            assert isinstance(verdict(adopted, found), guard.Refused)


@pytest.mark.parametrize("state", [VolumeState.FIRST_BOOT, VolumeState.DATA])
def test_what_an_adopted_volume_is_refused_for(state: VolumeState) -> None:
    mark = DataMark("home/matrix", state, adopted=True)
    assert verdict(DataMark("home/matrix", VolumeState.FIRST_BOOT, adopted=True), Finding(blank=True)) == guard.Refused(
        "matrix: the data volume was adopted and no filesystem is found on it",
        "nothing was written: the first boot would format it; look at it, or restore a snapshot first",
        Code.GUARD_EMPTY_NOW,
    )
    assert verdict(mark, DARK) == guard.Refused(
        "matrix: the data volume was adopted, and it cannot be read now (no qemu-img)",
        "nothing was written; make it readable on the hypervisor (qemu-utils, qemu-block-extra or open-iscsi), then run again",
        Code.GUARD_UNREADABLE,
    )


def test_a_partition_passes_only_as_it_was_recorded() -> None:
    every = itertools.product(MARKS, FINDINGS)
    allowed = [(mark, found) for mark, found in every if isinstance(verdict(mark, found, "data"), guard.Allowed)]
    right = Finding(other=GPT, partition=OURS)
    assert allowed == [(DataMark("home/matrix", VolumeState.DATA, OURS, adopted), right) for adopted in (False, True)]
    assert verdict(*allowed[0], "data") == guard.Allowed("its partition 'data' holds ext4 \"data\" uuid-1")


@pytest.mark.parametrize(
    ("state", "recorded", "found", "line"),
    [
        (
            VolumeState.BLANK, None, Finding(blank=True),
            "matrix: the data volume holds nothing (blank), expected is a GPT with a partition 'data': nothing was written: "
            "zerotoil never partitions; take data_partlabel out, or partition the volume by hand",
        ),
        (VolumeState.DATA, OURS, Finding(filesystem=OURS), 'matrix: the data volume holds ext4 "data" uuid-1, expected is a'),
        (VolumeState.DATA, OURS, DARK, "matrix: the data volume cannot be read (no qemu-img), expected is a partition 'data'"),
        (
            VolumeState.FIRST_BOOT, None, Finding(other=GPT, partition=OURS),
            "matrix: the partition 'data' was never seen mounted by a healthy guest: nothing was written: an empty partition",
        ),
        (
            VolumeState.DATA, Filesystem("xfs", "data", "u"), Finding(other=GPT, partition=Filesystem("xfs", "data", "u")),
            'matrix: the data volume is recorded as xfs "data" u, expected is ext4 "data": nothing was written; declare what is',
        ),
        (
            VolumeState.DATA, OURS, Finding(other=GPT),
            "matrix: the partition 'data' holds no filesystem that is known, recorded is ext4 \"data\" uuid-1: nothing was",
        ),
        (VolumeState.DATA, OURS, Finding(other=GPT, partition=OTHER), "matrix: the partition 'data' holds ext4 \"data\" uuid-2"),
    ],
)  # fmt: skip
def test_what_a_partition_is_refused_for(state: VolumeState, recorded: Filesystem, found: Finding, line: str) -> None:
    with pytest.raises(LabError) as caught:
        guard.check(
            host="matrix", want=WANT, owner="home/matrix", mark=DataMark("home/matrix", state, recorded), found=found,
            partlabel="data",
        )  # fmt: skip
    assert str(caught.value).startswith(line)


def test_somebody_elses_partition_is_refused() -> None:
    mark = DataMark("away/matrix", VolumeState.DATA, OURS)
    answer = verdict(mark, Finding(other=GPT, partition=OURS), "data")
    assert isinstance(answer, guard.Refused) and answer.what == "matrix: the data volume is marked as away/matrix's"


TABLE = "sgdisk -n1:2048:{end} -c1:{label} {image}"
FORMAT = "mkfs.ext4 -q -E offset=1048576 -L data -U 11111111-2222-3333-4444-555555555555 {image} 10M"
HELD = Filesystem("ext4", "data", "11111111-2222-3333-4444-555555555555")


@pytest.mark.parametrize(
    ("commands", "finding"),
    [
        ([TABLE.replace("{label}", "data"), FORMAT], Finding(other=GPT, partition=HELD)),
        ([TABLE.replace("{label}", "data")], Finding(other=GPT)),
        ([TABLE.replace("{label}", "other"), FORMAT], Finding(other=GPT)),
        ([TABLE.replace("{label}", "data"), "sgdisk -n2:0:0 -c2:data {image}", FORMAT], Finding(other=GPT)),
        (["mkfs.ext4 -q -L data -U 11111111-2222-3333-4444-555555555555 {image}"], Finding(filesystem=HELD)),
        ([], Finding(blank=True)),
    ],
    ids=["partition", "empty partition", "another label", "two of that label", "whole disk", "blank"],
)
def test_the_partition_is_read_by_the_real_tools(tmp_path: Path, commands: list[str], finding: Finding) -> None:
    """The probe's own script, with a file in the place of the LUN."""
    if not (shutil.which("sgdisk") and shutil.which("partx") and shutil.which("mkfs.ext4")):
        pytest.skip("needs sgdisk, partx and mkfs.ext4")
    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate(64 << 20)
    for command in commands:
        subprocess.run(command.format(image=image, end=40960).split(), check=True, capture_output=True, timeout=30)
    before = image.read_bytes()
    piece = f'piece() {{ dd if={image} bs=1M skip="$1" count="$2" iflag=count_bytes status=none >"$work/piece"; }}'
    partition = device._partition(make_spec(data_partlabel="data"))
    script = f"{device._START}\nsize={64 << 20}\n{piece}\n{device._REPORT}{partition}"
    done = subprocess.run(["sh", "-s"], input=script, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert device.interpret(done.stdout) == finding
    assert image.read_bytes() == before


def test_the_partition_is_looked_at_in_both_forms_and_only_when_declared() -> None:
    for attach, script in (("block", device._block_script), ("network", device._network_script)):
        assert "label=data\n" in script(make_spec(data_attach=attach, data_partlabel="data"), "iqn.x")
        assert "partx" not in script(make_spec(data_attach=attach), "iqn.x")


def test_ignition_is_told_the_partition_and_never_the_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    spec = make_spec(data_partlabel="data-1")
    folder = Path(__file__).parents[2] / "templates"
    text = render_butane(spec, {name: (folder / name).read_text() for name in TEMPLATES}, spec.ssh.authorized_keys, [])
    config = yaml.safe_load(text)
    assert set(config["storage"]) == {"filesystems", "files"}  # no disks
    assert [(item["device"], item["wipe_filesystem"]) for item in config["storage"]["filesystems"]] == [
        ("/dev/disk/by-partlabel/data-1", False)
    ]
    mount = next(unit for unit in config["systemd"]["units"] if unit["name"] == "var-mnt-data.mount")["contents"]
    assert "What=/dev/disk/by-partlabel/data-1\n" in mount
    assert r"Wants=systemd-fsck@dev-disk-by\x2dpartlabel-data\x2d1.service" in mount
    assert "virtio-" not in text
    if butane.find("butane") and butane.find("ignition-validate"):
        monkeypatch.setenv("ZEROTOIL_CACHE", str(tmp_path))
        made = json.loads(butane.ignition(text))
        assert "disks" not in made["storage"]


class _Mounted(Guest):
    def data_filesystem(self) -> Filesystem:
        return OURS


def test_the_record_keeps_that_the_volume_was_adopted() -> None:
    """What a guest has mounted may be another disk: the volume itself is still to be read before a first boot."""
    kept = [DataMark("home/matrix", VolumeState.FIRST_BOOT, adopted=True)]
    record = DataRecord(volumes(make_spec())[0], _Mounted("matrix", lambda _script: ""), lambda: kept[-1], kept.append)
    assert [str(change) for change in record.apply()] == [
        "record of tank/lab/matrix/data: state first-boot -> data",
        'record of tank/lab/matrix/data: filesystem  -> ext4 "data" uuid-1',
    ]
    assert kept[-1] == DataMark("home/matrix", VolumeState.DATA, OURS, adopted=True)


def test_the_guard_of_a_host_knows_the_partition(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = make_spec(data_partlabel="data")
    monkeypatch.setattr(Site, "recorded", lambda _site, _volume: DataMark(spec.owner, VolumeState.DATA, OURS))
    monkeypatch.setattr(Site, "iqn", "iqn.2005-10.org.freenas.ctl:matrix")
    monkeypatch.setattr(device, "probe", lambda _spec, _iqn: Finding(filesystem=OURS))  # right, were there no partition
    with pytest.raises(LabError, match="expected is a GPT with a partition 'data'"):
        Site(spec, Path()).before_first_boot()
    monkeypatch.setattr(device, "probe", lambda _spec, _iqn: Finding(other=GPT, partition=OURS))
    Site(spec, Path()).before_first_boot()
