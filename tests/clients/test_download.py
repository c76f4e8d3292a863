"""Downloads from a server that misbehaves as real ones do: breaks off, serves no ranges, packs on the way, fills the disk."""

import hashlib
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from zerotoil.clients import download as downloads
from zerotoil.clients.download import download
from zerotoil.errors import LabError

CONTENT = bytes(range(256)) * 16384  # 4 MiB
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server:
    """Serves CONTENT under every path. `breaks_after`: bytes after which the next answer ends too early."""

    def __init__(self) -> None:
        self.breaks_after: int | None = None
        self.has_ranges = True
        self.busy = 0  # how many more times it answers 503
        self.wrong_range = False
        self.ranges: list[str] = []
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/os.qcow2.xz"

    def handler(server) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *arguments: object) -> None:
                """Quiet."""

            def do_GET(self) -> None:
                asked = self.headers.get("Range", "")
                server.ranges.append(asked)
                if server.busy:
                    server.busy -= 1
                    self.send_error(503)
                    return
                start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) if asked and server.has_ranges else 0
                if start >= len(CONTENT):
                    self.send_error(416)
                    return
                start = 0 if server.wrong_range else start
                self.send_response(206 if asked and server.has_ranges else 200)
                self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
                self.send_header("Content-Length", str(len(CONTENT) - start))
                self.end_headers()
                end, server.breaks_after = server.breaks_after, None
                self.wfile.write(CONTENT[start:end])

        return Handler


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    threading.Thread(target=made.http.serve_forever, args=(0.05,), daemon=True).start()
    yield made
    made.http.shutdown()
    made.http.server_close()


def get(server: Server, target: Path) -> list[tuple[int, int]]:
    steps: list[tuple[int, int]] = []
    download(server.url, target, SHA256, lambda done, total: steps.append((done, total)))
    return steps


def test_it_arrives_whole_with_progress(server: Server, tmp_path: Path) -> None:
    steps = get(server, tmp_path / "os")
    assert (tmp_path / "os").read_bytes() == CONTENT
    assert steps[-1] == (len(CONTENT), len(CONTENT))
    assert [path.name for path in tmp_path.iterdir()] == ["os"]


def test_a_broken_download_keeps_what_arrived_and_goes_on_there(server: Server, tmp_path: Path) -> None:
    server.breaks_after = 3_000_000
    with pytest.raises(LabError, match="broke off .*run again: what has arrived is kept"):
        get(server, tmp_path / "os")
    assert not (tmp_path / "os").exists()
    kept = (tmp_path / "os.part").stat().st_size
    assert 2_000_000 < kept <= 3_000_000
    assert get(server, tmp_path / "os")[-1] == (len(CONTENT), len(CONTENT))
    assert server.ranges == ["", f"bytes={kept}-"]
    assert (tmp_path / "os").read_bytes() == CONTENT


@pytest.mark.parametrize("trouble", ["has_ranges", "wrong_range"])
def test_a_server_that_resumes_wrongly_starts_anew(server: Server, tmp_path: Path, trouble: str) -> None:
    setattr(server, trouble, trouble == "wrong_range")
    (tmp_path / "os.part").write_bytes(CONTENT[:1000])
    get(server, tmp_path / "os")
    assert (tmp_path / "os").read_bytes() == CONTENT


def test_a_part_that_is_whole_already_is_not_fetched_again(server: Server, tmp_path: Path) -> None:
    (tmp_path / "os.part").write_bytes(CONTENT)
    assert get(server, tmp_path / "os") == []
    assert (tmp_path / "os").read_bytes() == CONTENT


def test_a_server_that_is_busy_for_a_moment_is_asked_again(server: Server, tmp_path: Path) -> None:
    server.busy = 2
    get(server, tmp_path / "os")
    assert len(server.ranges) == 3


def test_a_wrong_sum_names_both_and_removes_the_file(server: Server, tmp_path: Path) -> None:
    with pytest.raises(LabError, match=f"has the SHA-256 {SHA256}, expected is {'0' * 64}"):
        download(server.url, tmp_path / "os", "0" * 64, lambda done, total: None)
    assert list(tmp_path.iterdir()) == []


def test_no_room_is_known_before_the_first_byte(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 1 << 20}))
    with pytest.raises(LabError, match="no space for the download of os in .*: 4 MiB needed, 1 MiB free"):
        get(server, tmp_path / "os")


def test_a_disk_that_fills_up_meanwhile_keeps_the_part(server: Server, tmp_path: Path) -> None:
    (tmp_path / "os.part").symlink_to("/dev/full")
    with pytest.raises(LabError, match=r"the disk is full \(.*os.part\)"):
        get(server, tmp_path / "os")
