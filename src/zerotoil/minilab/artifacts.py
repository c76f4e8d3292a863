"""What the lab's mirror serves: OS stream metadata and the stand-in guest image, built when the cache has none; k3s."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path

from zerotoil.minilab import daemons, endpoints, k3s, layout
from zerotoil.minilab.daemons import Daemon

STREAM = layout.MIRROR_FILES / "streams" / "stable.json"
MADE_FROM = ".made-from"  # in the mirror's folder: the image's cached path (named by content) and its release
URL = f"http://{layout.ADDRESS}:{layout.MIRROR_PORT}"


def daemon() -> Daemon:
    """The mirror's process."""
    argv = [sys.executable, "-m", "zerotoil.minilab.mirror", str(layout.MIRROR_FILES), layout.ADDRESS, str(layout.MIRROR_PORT)]
    answers = lambda: endpoints.status(layout.MIRROR_PORT, "/", tls=False) > 0  # noqa: E731
    return Daemon("mirror", argv, answers, port=layout.MIRROR_PORT)


def up() -> str:
    """Start the mirror."""
    k3s.releases(layout.MIRROR_FILES / "k3s")
    return daemons.start(daemon())


def is_up() -> bool:
    """Alive, ours and serving the stream metadata."""
    return daemons.is_up(daemon()) and endpoints.status(layout.MIRROR_PORT, "/streams/stable.json", "HEAD", tls=False) == 200


def down() -> str:
    """Stop the mirror; its files stay."""
    return "stopped" if daemons.stop(daemon()) else "was not running"


def build_tools(announce: Callable[[str], None]) -> str:
    """Build the Go programs that the lab needs, where the cache has none."""
    from zerotoil.minilab.tools import TOOLS, tool

    return _built(
        announce, "usually 4 minutes", lambda: [tool(name) for name in TOOLS if name != "ignition-unlabelled"]
    )  # lab ostree's own


def build_guest_image(announce: Callable[[str], None]) -> str:
    """Build the stand-in guest image where the cache has none, and lay it out as a stream."""
    from zerotoil.minilab.guest import RELEASE, guest_image

    made = []
    said = _built(announce, "usually 2 to 4 minutes", lambda: made.append(guest_image()))
    return said + _laid_out(made[0], RELEASE, "stable")


def build_ostree_image(announce: Callable[[str], None]) -> str:
    """The same for the guest whose root is an ostree deployment: a stream of its own."""
    from zerotoil.minilab import ostree

    made = []
    said = _built(announce, "usually 4 to 8 minutes", lambda: made.append(ostree.build()))
    return said + _laid_out(made[0].disk, ostree.RELEASE, ostree.STREAM)


def _laid_out(image: Path, release: str, name: str) -> str:
    """Lay the image out as a stream, unless this very image is; what to say of it."""
    from zerotoil.minilab.guest.stream import stream

    metadata = layout.MIRROR_FILES / "streams" / f"{name}.json"
    made_from = layout.MIRROR_FILES / (MADE_FROM if name == "stable" else f"{MADE_FROM}-{name}")
    text = f"{image} {release}"
    if metadata.exists() and made_from.exists() and made_from.read_text() == text:
        return ""
    stream(layout.MIRROR_FILES, image, URL, release, name)
    made_from.write_text(text)
    return ", packed for the mirror"


def _built(announce: Callable[[str], None], how_long: str, build: Callable[[], object]) -> str:
    """Run a build that may be cached; announces it when it takes more than a moment."""
    before = _cache_entries()
    finished = threading.Event()
    threading.Thread(target=lambda: None if finished.wait(3) else announce(f"building, {how_long}"), daemon=True).start()
    try:
        build()
    finally:
        finished.set()
    return "built" if _cache_entries() - before else "cached"


def _cache_entries() -> set[str]:
    return {path.name for path in layout.CACHE.glob("[!.]*")} if layout.CACHE.is_dir() else set()
