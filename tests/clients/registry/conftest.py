"""A cache of each test's own, and a real registry for those that want one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.registry.oci import RealRegistry, real_registry


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZEROTOIL_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="session")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRegistry]:
    with real_registry(tmp_path_factory.mktemp("registry")) as made:
        yield made


@pytest.fixture
def real(_running: RealRegistry) -> RealRegistry:
    _running.forget()
    return _running
