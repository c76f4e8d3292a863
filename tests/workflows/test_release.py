"""Releasing an app that is held back: its pins go when it comes up with the newest images, and are back when it does not."""

from pathlib import Path

import pytest

from tests.conftest import make_spec
from tests.resources.guest.conftest import LocalGuest, local  # noqa: F401
from zerotoil.errors import LabError
from zerotoil.layers import Site
from zerotoil.workflows.release import release

PIN = "web registry.lan/web@sha256:aaaa\n"
UNIT = "zerotoil-app@web.service"


@pytest.fixture
def held(local: LocalGuest, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: F811
    own = local.data / "apps/web/.zerotoil"
    own.mkdir(parents=True)
    (own / "files").write_text(f"0644 {'0' * 64} compose.yaml\n")
    (own / "pins").write_text(PIN)
    local.unit(UNIT)
    monkeypatch.setattr(Site, "running_guest", lambda _site, **_options: local.guest)
    return own


def test_an_app_that_comes_up_is_held_no_more(held: Path, tmp_path: Path) -> None:
    assert release(Site(make_spec(apps=["web"]), tmp_path), "web") == [PIN.strip()]
    assert not (held / "pins").exists() and not (held / "pins.was").exists()
    assert (held / "pull").exists()  # for `up`, which fetches first
    assert f"reload-or-restart --no-block {UNIT}" in (tmp_path / "state/systemctl.log").read_text()


def test_podmans_app_is_started_by_its_own_script(held: Path, tmp_path: Path) -> None:
    (tmp_path / "bin/systemd-run").write_text('#!/bin/sh\necho "$*" >"$ZEROTOIL_STATE/run"\n')
    (tmp_path / "bin/systemd-run").chmod(0o755)
    (tmp_path / "state/unit-zerotoil-up-web.service").write_text("Id=zerotoil-up-web.service\nActiveState=active\n")
    spec = make_spec(apps=["web"], container_backend="podman")
    assert release(Site(spec, tmp_path), "web") == [PIN.strip()]
    assert not (held / "pins").exists() and (held / "pull").exists()
    assert (tmp_path / "state/run").read_text().strip().endswith("/zerotoil/bin/podman.sh up web")


def test_one_that_does_not_stays_held(held: Path, tmp_path: Path) -> None:
    (tmp_path / f"state/unit-{UNIT}").write_text(f"Id={UNIT}\nActiveState=failed\n")
    with pytest.raises(LabError, match="app web did not come up"):
        release(Site(make_spec(apps=["web"]), tmp_path), "web")
    assert (held / "pins").read_text() == PIN
