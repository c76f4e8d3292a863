"""The stand-in guest: what is on its disk (read with debugfs, not booted), and how a mirror offers it."""

import hashlib
import json
import lzma
import os
import shutil
import subprocess

import pytest

from zerotoil.errors import LabError
from zerotoil.minilab import artifacts, guest, layout, ostree
from zerotoil.minilab.guest.stream import stream

needs_root = pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("mmdebstrap"), reason="needs root and mmdebstrap")


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    """The image as a raw disk, and a function that runs one debugfs request on a partition."""
    raw = tmp_path_factory.mktemp("guest") / "disk.raw"
    subprocess.run(["qemu-img", "convert", "-O", "raw", guest.guest_image(), raw], timeout=300, check=True)
    table = json.loads(subprocess.run(["sfdisk", "--json", raw], capture_output=True, timeout=60, check=True).stdout)[
        "partitiontable"
    ]["partitions"]

    def ask(partition: int, request: str) -> str:
        offset = table[partition - 1]["start"] * 512
        command = ["debugfs", "-R", request, f"{raw}?offset={offset}"]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout

    yield ask
    raw.unlink()


@pytest.mark.lab
@needs_root
@pytest.mark.parametrize(
    ("link", "target"),
    [("/home", "var/home"), ("/root", "var/roothome"), ("/mnt", "var/mnt"), ("/opt", "var/opt"), ("/srv", "var/srv"),
     ("/usr/local", "../var/usrlocal")],
)  # fmt: skip
def test_what_may_change_lives_in_var(disk, link, target):
    assert f'Fast link dest: "{target}"' in disk(3, f"stat {link}")


@pytest.mark.lab
@needs_root
def test_the_first_boot_is_a_first_boot(disk):
    assert disk(3, "cat /etc/machine-id").strip() == "uninitialized"
    assert "ignition.firstboot" in disk(2, "ls /")
    assert "ssh_host_" not in disk(3, "ls /etc/ssh")
    assert "python3" not in disk(3, "ls /usr/bin")


@pytest.mark.lab
@needs_root
def test_it_says_what_it_is_and_keeps_nothing_of_its_builder(disk):
    release = disk(3, "cat /etc/os-release") or disk(3, "cat /usr/lib/os-release")
    assert "IMAGE_ID=zerotoil-standin" in release and f"IMAGE_VERSION={guest.RELEASE}" in release
    assert "00builder" not in disk(3, "ls /etc/apt/apt.conf.d")
    assert "resolv.conf" not in disk(3, "ls /etc") and disk(3, "ls /usr/local/share/ca-certificates").count("crt") == 0


@pytest.mark.lab
@needs_root
def test_docker_waits_for_its_socket(disk):
    assert "docker.socket" in disk(3, "ls /etc/systemd/system/sockets.target.wants")
    assert "docker.service" not in disk(3, "ls /etc/systemd/system/multi-user.target.wants")


def test_the_stream_has_the_shape_of_fedoras_and_true_checksums(tmp_path, monkeypatch):
    monkeypatch.setattr(layout, "CACHE", tmp_path / "cache")
    image = tmp_path / "small.qcow2"
    image.write_bytes(os.urandom(100_000))
    metadata = json.loads(stream(tmp_path / "www", image, "http://127.0.0.1:1/").read_text())
    qemu = metadata["architectures"]["x86_64"]["artifacts"]["qemu"]
    assert qemu["release"] == guest.RELEASE and "standin" in guest.RELEASE
    offered = qemu["formats"]["qcow2.xz"]["disk"]
    served = tmp_path / "www" / offered["location"].removeprefix("http://127.0.0.1:1/")
    assert hashlib.sha256(served.read_bytes()).hexdigest() == offered["sha256"]
    unpacked = lzma.decompress(served.read_bytes())
    assert unpacked == image.read_bytes()
    assert hashlib.sha256(unpacked).hexdigest() == offered["uncompressed-sha256"]


def test_a_second_image_is_a_stream_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(layout, "CACHE", tmp_path / "cache")
    for name, release in (("stable", guest.RELEASE), (ostree.STREAM, ostree.RELEASE)):
        image = tmp_path / f"{name}.qcow2"
        image.write_bytes(os.urandom(1000))
        stream(tmp_path / "www", image, "http://127.0.0.1:1/", release, name)
    for name, release in (("stable", guest.RELEASE), ("ostree", ostree.RELEASE)):
        metadata = json.loads((tmp_path / "www" / "streams" / f"{name}.json").read_text())
        assert metadata["stream"] == name
        qemu = metadata["architectures"]["x86_64"]["artifacts"]["qemu"]
        assert qemu["release"] == release and f"/{name}/" in qemu["formats"]["qcow2.xz"]["disk"]["location"]
        assert (tmp_path / "www" / qemu["formats"]["qcow2.xz"]["disk"]["location"].removeprefix("http://127.0.0.1:1/")).exists()


def test_a_stream_is_packed_anew_only_for_another_image(tmp_path, monkeypatch):
    monkeypatch.setattr(layout, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(layout, "MIRROR_FILES", tmp_path / "mirror")
    image = tmp_path / "guest-1.qcow2"
    image.write_bytes(b"disk")
    assert artifacts._laid_out(image, "1", "ostree") == ", packed for the mirror"
    assert artifacts._laid_out(image, "1", "ostree") == ""
    assert artifacts._laid_out(image, "1", "stable") == ", packed for the mirror"
    assert artifacts._laid_out(image.rename(tmp_path / "guest-2.qcow2"), "1", "ostree") == ", packed for the mirror"


def test_a_machine_without_a_mirror_is_told_so(monkeypatch):
    monkeypatch.setattr(guest, "_run", lambda command: "")
    with pytest.raises(LabError, match="knows no Debian mirror"):
        guest.mirror()
