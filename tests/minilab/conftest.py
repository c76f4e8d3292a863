"""Parts of the lab on 127.0.0.1, with a state folder of their own: nothing of a running lab is touched."""

import shutil
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from zerotoil.minilab import layout, registry, state, tls
from zerotoil.minilab.registry import Registry

_PATHS = (
    "LOG", "RUN", "CA_CERT", "SERVER_CERT", "SERVER_KEY", "SSH_KEY", "NAS_KEY_FILE", "CHAP_SECRET_FILE",
    "REGISTRY_PASSWORD_FILE", "SIGNAL_MESSAGES",
)  # fmt: skip


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture
def loopback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The lab's state folder below tmp_path, with its secrets and certificates; the lab's address is 127.0.0.1."""
    folder = tmp_path / "lab"
    for name in _PATHS:
        monkeypatch.setattr(layout, name, folder / getattr(layout, name).relative_to(layout.STATE))
    monkeypatch.setattr(layout, "STATE", folder)
    monkeypatch.setattr(layout, "ADDRESS", "127.0.0.1")
    monkeypatch.setattr(state, "MARK", folder / state.MARK.name)
    state.ensure()
    tls.ensure()
    return folder


@pytest.fixture
def registries(loopback: Path) -> Iterator[tuple[Registry, Registry]]:
    """Two real registries: the open one and the one that wants a login."""
    if shutil.which("docker-registry") is None:
        pytest.skip("docker-registry is not installed")
    both = replace(registry.OPEN, port=free_port()), replace(registry.PRIVATE, port=free_port())
    for one in both:
        registry.up(one)
    yield both
    for one in both:
        registry.down(one)
