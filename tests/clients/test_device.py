"""Reading a data device without writing: real tgt, real qemu-img, real blkid."""

import hashlib
import os
import shutil
import socket
import struct
import subprocess
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import make_spec
from zerotoil.clients import device
from zerotoil.clients.device import Unreadable
from zerotoil.model.data_volume import Filesystem, Finding
from zerotoil.model.secret import Secret
from zerotoil.model.spec import HostSpec

IQN = "iqn.2026-01.lab.zerotoil:probe"
CONTROL = str(1000 + os.getpid() % 30000)  # two runs at once must not share a daemon


@pytest.mark.parametrize(
    ("answer", "finding"),
    [
        ("BLKID_EXIT=2\nALL_ZERO=1", Finding(blank=True)),
        ("BLKID_EXIT=2\nALL_ZERO=0", Finding(other="data of no known kind")),
        ("BLKID_EXIT=8\nALL_ZERO=0", Finding(other="several signatures at once (blkid: ambivalent)")),
        ("PTTYPE=gpt\nBLKID_EXIT=0\nALL_ZERO=0", Finding(other="a gpt partition table")),
        ("PTTYPE=dos\nTYPE=ext4\nBLKID_EXIT=0\nALL_ZERO=0", Finding(other="a dos partition table")),
        ("TYPE=LVM2_member\nUSAGE=raid\nBLKID_EXIT=0\nALL_ZERO=0", Finding(other="LVM2_member")),
        ("LABEL=data\nUUID=u\nTYPE=ext4\nBLKID_EXIT=0\nALL_ZERO=0", Finding(filesystem=Filesystem("ext4", "data", "u"))),
        ("", Unreadable("the probe answered ''")),
    ],
)
def test_interpretation(answer: str, finding: Finding | Unreadable) -> None:
    assert device.interpret(answer) == finding


@pytest.fixture(scope="module")
def disk() -> Iterator[tuple[Path, int]]:
    """A 64 MiB LUN behind CHAP, served by a tgtd of our own."""
    if os.geteuid() or not shutil.which("tgtd"):
        pytest.skip("a real iSCSI target needs root and tgt (make setup installs it)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = Path(subprocess.check_output(["mktemp", "-d"], text=True).strip())
    (folder / "disk").touch()
    os.truncate(folder / "disk", 64 << 20)
    daemon = subprocess.Popen(["tgtd", "-f", "-C", CONTROL, "--iscsi", f"portal=127.0.0.1:{port}"], stderr=subprocess.DEVNULL)
    try:
        tgt(wait=True, op="show", mode="target")
        tgt("--tid", "1", "-T", IQN, op="new", mode="target")
        tgt("--tid", "1", "--lun", "1", "-b", str(folder / "disk"), op="new", mode="logicalunit")
        tgt("--user", "probe", "--password", "not-a-s3cret0", op="new", mode="account")
        tgt("--tid", "1", "--user", "probe", op="bind", mode="account")
        tgt("--tid", "1", "-I", "ALL", op="bind", mode="target")
        yield folder / "disk", port
    finally:
        daemon.kill()  # tgtd ignores SIGTERM while it has targets
        daemon.wait(10)
        shutil.rmtree(folder)


def tgt(*arguments: str, op: str, mode: str, wait: bool = False) -> None:
    line = ["tgtadm", "-C", CONTROL, "--lld", "iscsi", "--op", op, "--mode", mode, *arguments]
    for _ in range(50):
        done = subprocess.run(line, capture_output=True, text=True, timeout=10)
        if done.returncode == 0:
            return
        if not wait:
            break
        time.sleep(0.1)
    raise AssertionError(done.stderr)


def make(command: str) -> Callable[[Path], None]:
    return lambda disk: subprocess.run(command.format(disk), shell=True, check=True, capture_output=True, timeout=60) and None


def write_lvm_label(disk: Path) -> None:
    """The label of a physical volume in sector 1, as LVM writes it (lib/format_text/layout.h); blkid checks its CRC."""
    body = struct.pack("<I8s", 32, b"LVM2 001").ljust(492, b"\0")
    crc = zlib.crc32(body, 0xF597A6CF ^ 0xFFFFFFFF) ^ 0xFFFFFFFF
    with disk.open("r+b") as file:
        file.seek(512)
        file.write(struct.pack("<8sQI", b"LABELONE", 1, crc) + body)


UUID = "11111111-2222-3333-4444-555555555555"
CONTENTS = {
    "nothing": (make("true"), Finding(blank=True)),
    "ext4": (make(f"mkfs.ext4 -q -L data -U {UUID} {{}}"), Finding(filesystem=Filesystem("ext4", "data", UUID))),
    "gpt": (make("sgdisk -n1:0:0 {}"), Finding(other="a gpt partition table")),
    "mbr": (make("echo ',,L' | sfdisk -q --label dos {}"), Finding(other="a dos partition table")),
    "swap": (make("mkswap {}"), Finding(other="swap")),
    "xfs": (
        make(f"truncate -s 400M {{0}}; mkfs.xfs -q -f -L data -m uuid={UUID} {{0}}"),
        Finding(filesystem=Filesystem("xfs", "data", UUID)),
    ),
    "lvm": (lambda disk: write_lvm_label(disk), Finding(other="LVM2_member")),
    "ext4 and mbr": (
        make("mkfs.ext4 -q -L data {0}; echo ',,L' | sfdisk -q --label dos {0}"),
        Finding(other="a dos partition table"),
    ),
    "random": (make("dd if=/dev/urandom of={} bs=1M count=1 seek=2 conv=notrunc"), Finding(other="data of no known kind")),
    "tail": (make("dd if=/dev/urandom of={} bs=1k count=1 seek=65535 conv=notrunc"), Finding(other="data of no known kind")),
}


@pytest.mark.lab
@pytest.mark.parametrize("content", CONTENTS)
def test_a_real_lun_is_read_and_never_written(disk: tuple[Path, int], content: str) -> None:
    path, port = disk
    os.truncate(path, 0)
    os.truncate(path, 64 << 20)
    prepare, finding = CONTENTS[content]
    prepare(path)
    before = hashlib.sha256(path.read_bytes()).digest()
    found = device.probe(spec(port), IQN)
    assert found == finding
    assert hashlib.sha256(path.read_bytes()).digest() == before


@pytest.mark.lab
def test_a_wrong_chap_secret_is_unreadable(disk: tuple[Path, int]) -> None:
    found = device.probe(spec(disk[1], iscsi_chap_secret=Secret("another-s3cret")), IQN)
    assert isinstance(found, Unreadable)
    assert "s3cret" not in found.reason


def spec(port: int, **data: object):
    keys = {
        "data_size": "64 MiB",
        "data_attach": "network",
        "iscsi_portal": ["127.0.0.1"],
        "iscsi_port": port,
        "iscsi_lun": 1,
        "iscsi_chap_user": "probe",
        "iscsi_chap_secret": Secret("not-a-s3cret0"),
        "hypervisor_timeout": "15 seconds",
    }
    return make_spec("probe", **{**keys, **data})


def test_a_block_device_that_is_not_there_is_unreadable() -> None:
    found = device.probe(make_spec(), IQN)
    assert found == Unreadable(f"/dev/disk/by-path/ip-192.0.2.10:3260-iscsi-{IQN}-lun-0 is not there")


@pytest.fixture
def loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A block device that holds ext4, standing where the hypervisor's kernel would put the LUN."""
    if os.geteuid() or not Path("/dev/loop-control").exists():
        pytest.skip("a block device needs root and loop devices")
    os.truncate(os.open(tmp_path / "disk", os.O_CREAT | os.O_RDWR), 64 << 20)
    CONTENTS["ext4"][0](tmp_path / "disk")
    found = subprocess.check_output(["losetup", "-f", "--show", str(tmp_path / "disk")], text=True, timeout=10).strip()
    monkeypatch.setattr(HostSpec, "by_path", lambda spec, iqn: found)
    yield found
    subprocess.run(["losetup", "-d", found], check=True, timeout=10)


@pytest.mark.lab
def test_a_block_device_is_read_and_never_written(loop: str, tmp_path: Path) -> None:
    before = hashlib.sha256((tmp_path / "disk").read_bytes()).digest()
    assert device.probe(make_spec(), IQN) == CONTENTS["ext4"][1]
    assert hashlib.sha256((tmp_path / "disk").read_bytes()).digest() == before


@pytest.mark.lab
def test_a_block_device_that_may_not_be_read_is_not_blank(loop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    monkeypatch.setattr(device, "_on_hypervisor", lambda uri, command: [*nobody, *command])
    assert isinstance(device.probe(make_spec(), IQN), Unreadable)


@pytest.mark.lab
def test_the_chap_secret_stays_off_the_command_line_and_the_disk(
    disk: tuple[Path, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even when the probe is stopped half-way: a qemu-img that notes its arguments, then hangs."""
    bin_, work = tmp_path / "bin", tmp_path / "work"
    bin_.mkdir()
    work.mkdir()
    (bin_ / "qemu-img").write_text(f'#!/bin/sh\necho "$@" >{tmp_path}/arguments\nenv >>{tmp_path}/arguments\nexec sleep 60\n')
    (bin_ / "qemu-img").chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin_}:{os.environ['PATH']}")
    monkeypatch.setenv("TMPDIR", str(work))
    assert device.probe(spec(disk[1], hypervisor_timeout="1 second"), IQN) == Unreadable("no answer within 1 s")
    seen = (tmp_path / "arguments").read_text()
    assert "file.user=probe" in seen
    assert "not-a-s3cret0" not in seen
    assert list(work.iterdir()) == []


@pytest.mark.parametrize(
    ("uri", "line"),
    [
        ("qemu:///system", "sh"),
        ("qemu+unix:///system", "sh"),
        (
            "qemu+ssh://root@hv1:2222/system?keyfile=/k",
            "ssh -o BatchMode=yes -o ConnectTimeout=10 -p 2222 -i/k -- root@hv1 sh",
        ),
        ("qemu+libssh2://hv1/system", "ssh -o BatchMode=yes -o ConnectTimeout=10 -- hv1 sh"),
    ],
)
def test_where_it_is_read(uri: str, line: str) -> None:
    assert " ".join(device._on_hypervisor(uri, ["sh"])) == line


def test_a_hypervisor_without_a_shell_is_not_mistaken_for_this_machine() -> None:
    found = device.probe(make_spec(hypervisor_uri="qemu+tls://hv1/system"), IQN)
    assert isinstance(found, Unreadable)
    assert "qemu+tls://hv1/system offers no shell" in found.reason
