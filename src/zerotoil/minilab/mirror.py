"""The artifact mirror: a static HTTP server for one folder that can resume downloads.

    python -m zerotoil.minilab.mirror FOLDER ADDRESS PORT

GET and HEAD of regular files; `Range: bytes=a-` and `bytes=a-b` (RFC 9110 §14), with an ETag so that a client can see
that the file was replaced (`If-Range`). No listings. Uses the standard library only.
"""

from __future__ import annotations

import os
import re
import sys
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO


class Request(SimpleHTTPRequestHandler):
    """One request for a file below the folder."""

    protocol_version = "HTTP/1.1"
    timeout = 60  # seconds of silence before a connection is dropped
    remaining = 0

    def send_head(self) -> BinaryIO | None:
        """Answer status and headers; the open file, positioned at the first byte wanted."""
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(HTTPStatus.NOT_FOUND)
            return None
        file = path.open("rb")
        about = os.fstat(file.fileno())
        tag = f'"{about.st_mtime_ns:x}-{about.st_size:x}"'
        wanted = None if self.headers.get("If-Range", tag) != tag else self._range(about.st_size)
        if wanted == (0, -1):
            file.close()
            self._refuse_range(about.st_size)
            return None
        first, last = wanted or (0, about.st_size - 1)
        self.remaining = last - first + 1
        self.send_response(HTTPStatus.PARTIAL_CONTENT if wanted else HTTPStatus.OK)
        if wanted:
            self.send_header("Content-Range", f"bytes {first}-{last}/{about.st_size}")
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Length", str(self.remaining))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", tag)
        self.send_header("Last-Modified", self.date_time_string(int(about.st_mtime)))
        self.end_headers()
        file.seek(first)
        return file

    def copyfile(self, source: BinaryIO, outputfile: BinaryIO) -> None:  # type: ignore[override]
        """Send the bytes that the headers announced."""
        while self.remaining > 0 and (piece := source.read(min(self.remaining, 1 << 20))):
            outputfile.write(piece)
            self.remaining -= len(piece)

    def _range(self, size: int) -> tuple[int, int] | None:
        """First and last byte wanted; None without a range that we serve; (0, -1) for one outside the file."""
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if match is None:
            return None
        first, last = int(match[1]), min(int(match[2] or size - 1), size - 1)
        return (first, last) if first <= last else (0, -1)

    def _refuse_range(self, size: int) -> None:
        self.send_response(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
        self.send_header("Content-Range", f"bytes */{size}")
        self.send_header("Content-Length", "0")
        self.end_headers()


def server(folder: Path, address: str, port: int) -> ThreadingHTTPServer:
    """The bound server; `serve_forever()` runs it."""
    ThreadingHTTPServer.daemon_threads = True
    return ThreadingHTTPServer((address, port), partial(Request, directory=str(folder)))


if __name__ == "__main__":
    server(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])).serve_forever()
