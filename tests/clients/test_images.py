"""OS images over real HTTP: verified, resumed, cached."""

import hashlib
import json
import lzma
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.conftest import make_spec
from zerotoil.clients import images
from zerotoil.errors import LabError
from zerotoil.minilab.mirror import Request


def quiet(done: int, total: int) -> None:
    """No progress wanted."""


class Mirror:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.requests: list[str] = []
        mirror = self

        class Handler(Request):
            def log_message(self, *arguments: object) -> None:
                mirror.requests.append(f"{self.command} {self.path} {self.headers.get('Range', '')}".strip())

            def __init__(self, *arguments: object, **more: object) -> None:
                super().__init__(*arguments, directory=str(root), **more)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Mirror]:
    """A mirror with one stream: a small qcow2, packed."""
    root = tmp_path / "mirror"
    root.mkdir()
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", str(root / "os.qcow2"), "8G"], check=True, timeout=30)
    plain = (root / "os.qcow2").read_bytes()
    packed = lzma.compress(plain)
    (root / "os.qcow2.xz").write_bytes(packed)
    served = Mirror(root)
    disk = {
        "location": served.url + "os.qcow2.xz",
        "sha256": hashlib.sha256(packed).hexdigest(),
        "uncompressed-sha256": hashlib.sha256(plain).hexdigest(),
    }
    write_stream(served, disk)
    thread = threading.Thread(target=served.server.serve_forever, daemon=True)
    thread.start()
    yield served
    served.server.shutdown()
    served.server.server_close()


def write_stream(mirror: Mirror, disk: dict[str, str]) -> None:
    qemu = {"release": "44.20260802.3.1", "formats": {"qcow2.xz": {"disk": disk}}}
    (mirror.root / "stable.json").write_text(json.dumps({"architectures": {"x86_64": {"artifacts": {"qemu": qemu}}}}))


def fetch(mirror: Mirror, cache: Path, **os: object) -> images.LocalImage:
    spec = make_spec(os_stream_url=mirror.url, **os)
    return images.fetch(images.resolve(spec.os), cache, quiet)


def test_a_stream_image_is_fetched_once(mirror: Mirror, tmp_path: Path) -> None:
    found = fetch(mirror, tmp_path / "cache")
    assert (found.release, found.virtual_size) == ("44.20260802.3.1", 8 << 30)
    assert found.path.read_bytes() == (mirror.root / "os.qcow2").read_bytes()
    mirror.requests.clear()
    assert fetch(mirror, tmp_path / "cache") == found
    assert [line.split()[1] for line in mirror.requests] == ["/stable.json"]


def test_an_interrupted_download_is_resumed(mirror: Mirror, tmp_path: Path) -> None:
    source = images.resolve(make_spec(os_stream_url=mirror.url).os)
    packed = (mirror.root / "os.qcow2.xz").read_bytes()
    (tmp_path / "cache").mkdir()
    part = tmp_path / "cache" / f"{source.release}-{source.sha256[:12]}.download.part"
    part.write_bytes(packed[:100])
    assert images.fetch(source, tmp_path / "cache", quiet).release == "44.20260802.3.1"
    assert any("bytes=100-" in line for line in mirror.requests)


def test_a_damaged_part_is_refused_and_removed(mirror: Mirror, tmp_path: Path) -> None:
    source = images.resolve(make_spec(os_stream_url=mirror.url).os)
    (tmp_path / "cache").mkdir()
    part = tmp_path / "cache" / f"{source.release}-{source.sha256[:12]}.download.part"
    part.write_bytes(b"x" * 100)
    with pytest.raises(LabError, match=rf"os.qcow2.xz has the SHA-256 [0-9a-f]{{64}}, expected is {source.sha256}"):
        images.fetch(source, tmp_path / "cache", quiet)
    assert not part.exists()
    assert images.fetch(source, tmp_path / "cache", quiet).virtual_size == 8 << 30


def test_an_unpacked_image_is_verified_too(mirror: Mirror, tmp_path: Path) -> None:
    packed = (mirror.root / "os.qcow2.xz").read_bytes()
    disk = {"location": mirror.url + "os.qcow2.xz", "sha256": hashlib.sha256(packed).hexdigest(), "uncompressed-sha256": "0" * 64}
    write_stream(mirror, disk)
    with pytest.raises(LabError, match="unpacked has the SHA-256"):
        fetch(mirror, tmp_path / "cache")
    assert not list((tmp_path / "cache").glob("*.qcow2"))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"os_stream": "nosuch"}, "nosuch.json does not exist (404): check os_stream"),
        ({"os_stream_url": "http://127.0.0.1:9/"}, "stable.json cannot be read"),
        ({"os_image": "/nosuch.qcow2", "os_image_sha256": "0" * 64}, "os_image /nosuch.qcow2 does not exist"),
    ],
)
def test_what_cannot_be_had(mirror: Mirror, tmp_path: Path, keys: dict[str, str], message: str) -> None:
    with pytest.raises(LabError) as caught:
        spec = make_spec(**{"os_stream_url": mirror.url, **keys})
        images.fetch(images.resolve(spec.os), tmp_path, quiet)
    assert message in str(caught.value)


def test_no_stream_metadata(mirror: Mirror, tmp_path: Path) -> None:
    (mirror.root / "stable.json").write_text("{}")
    with pytest.raises(LabError, match=r"stable.json is no stream metadata of Fedora CoreOS \(no 'architectures'\)"):
        fetch(mirror, tmp_path)
    (mirror.root / "stable.json").write_text("<html>")
    with pytest.raises(LabError, match="stable.json is no JSON"):
        fetch(mirror, tmp_path)


def test_an_image_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "my os.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", str(path), "1G"], check=True, timeout=30)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    os = make_spec(os_image=str(path), os_image_sha256=sha256).os
    found = images.fetch(images.resolve(os), tmp_path / "cache", quiet)
    assert (found.release, found.virtual_size) == ("my-os", 1 << 30)
    assert path.exists()
    wrong = make_spec(os_image=str(path), os_image_sha256="0" * 64).os
    with pytest.raises(LabError, match=f"has the SHA-256 {sha256}, declared is 0000"):
        images.fetch(images.resolve(wrong), tmp_path / "cache", quiet)


def test_what_is_no_qcow2_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "raw.qcow2"
    path.write_bytes(b"\0" * 4096)
    os = make_spec(os_image=str(path), os_image_sha256=hashlib.sha256(path.read_bytes()).hexdigest()).os
    with pytest.raises(LabError, match="is no qcow2 image"):
        images.fetch(images.resolve(os), tmp_path / "cache", quiet)


def test_no_space(tmp_path: Path) -> None:
    from zerotoil.clients.download import need_space

    with pytest.raises(LabError, match="no space for the image in .*: 1099511627776 MiB needed"):
        need_space(tmp_path, 1 << 60, "the image")


def test_a_keyring_without_signature(mirror: Mirror, tmp_path: Path) -> None:
    with pytest.raises(LabError, match="has no signature in the stream's metadata|gpgv is not installed"):
        fetch(mirror, tmp_path / "cache", os_keyring=tmp_path / "none.gpg")


def test_hosts_that_start_together_fetch_one_image_once(mirror: Mirror, tmp_path: Path) -> None:
    source = images.resolve(make_spec(os_stream_url=mirror.url).os)
    mirror.requests.clear()
    with ThreadPoolExecutor(4) as hosts:
        found = list(hosts.map(lambda _: images.fetch(source, tmp_path / "cache", quiet), range(4)))
    assert len(set(found)) == 1
    assert len(mirror.requests) == 1


def test_an_image_that_needs_another_file_is_refused(tmp_path: Path) -> None:
    base, over, split = tmp_path / "base.qcow2", tmp_path / "over.qcow2", tmp_path / "split.qcow2"
    for line in (
        [str(base), "1G"],
        ["-b", str(base), "-F", "qcow2", str(over)],
        ["-o", f"data_file={tmp_path}/raw", str(split), "1G"],
    ):
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *line], check=True, timeout=30)
    for path in (over, split):
        os = make_spec(os_image=str(path), os_image_sha256=hashlib.sha256(path.read_bytes()).hexdigest()).os
        with pytest.raises(LabError, match="depends on another (image|file)"):
            images.fetch(images.resolve(os), tmp_path / "cache", quiet)
        assert not list((tmp_path / "cache").glob("*.qcow2*"))


@pytest.fixture
def gnupg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A key of our own; `gnupg/keys` is its keyring."""
    if not shutil.which("gpg") or not shutil.which("gpgv"):
        pytest.skip("signatures need gpg and gpgv")
    home = Path(tempfile.mkdtemp(prefix="gpg"))  # short: gpg-agent's socket lies in it
    monkeypatch.setenv("GNUPGHOME", str(home))
    gpg("--quick-generate-key", "images@example.org", "ed25519", "sign")
    gpg("--export", "-o", str(home / "keys"))
    yield home
    subprocess.run(["gpgconf", "--kill", "all"], timeout=30)
    shutil.rmtree(home)


def gpg(*arguments: str) -> None:
    line = ["gpg", "--batch", "--yes", "--passphrase", "", *arguments]
    subprocess.run(line, check=True, capture_output=True, timeout=60)


def test_a_signature_is_checked_against_the_keyring(mirror: Mirror, tmp_path: Path, gnupg: Path) -> None:
    packed = mirror.root / "os.qcow2.xz"
    disk = {
        "location": mirror.url + packed.name,
        "signature": mirror.url + packed.name + ".sig",
        "sha256": hashlib.sha256(packed.read_bytes()).hexdigest(),
        "uncompressed-sha256": hashlib.sha256((mirror.root / "os.qcow2").read_bytes()).hexdigest(),
    }
    write_stream(mirror, disk)
    fetch(mirror, tmp_path / "cache")  # cached without a check: that must not count as checked
    with pytest.raises(LabError, match=r"os.qcow2.xz.sig does not exist \(404\)"):
        fetch(mirror, tmp_path / "cache", os_keyring=gnupg / "keys")
    gpg("--detach-sign", "-o", f"{packed}.sig", str(mirror.root / "os.qcow2"))
    with pytest.raises(LabError, match=r"signature of .* is not good \(.*BAD signature"):
        fetch(mirror, tmp_path / "cache", os_keyring=gnupg / "keys")
    gpg("--detach-sign", "-o", f"{packed}.sig", str(packed))
    assert fetch(mirror, tmp_path / "cache", os_keyring=gnupg / "keys").virtual_size == 8 << 30
    (gnupg / "other").write_bytes(b"")
    with pytest.raises(LabError, match="is not good"):
        fetch(mirror, tmp_path / "cache2", os_keyring=gnupg / "other")
