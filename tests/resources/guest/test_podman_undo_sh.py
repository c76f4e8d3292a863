"""An undo where podman runs the apps: swap.sh, undo-app.sh and podman.sh together, cut off wherever they change something."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.resources.guest.podman_guest import APP, DB, HELD, NEW, OLD, PodmanGuest, podman_sh
from zerotoil.render.quadlet.held import held
from zerotoil.resources.guest import swap
from zerotoil.resources.guest.swap import Pin

CUTS = (1, 2, 3) if os.environ.get("ZEROTOIL_EVERY_CUT") else (2,)  # each third change from there on
FITTING = {f"{NEW} today", f"{OLD} yesterday"}


@pytest.fixture
def guest(tmp_path: Path) -> PodmanGuest:
    return PodmanGuest(tmp_path)


def declared(guest: PodmanGuest) -> dict[str, str]:
    return {path.name: path.read_text() for path in (guest.data / "zerotoil/quadlets/app").iterdir()}


def test_data_and_image_go_back_together(guest: PodmanGuest) -> None:
    assert guest.undo() == [Pin(APP, "db", HELD)]
    assert guest.met() == [f"{NEW} today", f"{OLD} yesterday"] and guest.running()
    assert f"podman tag {OLD} docker.io/library/postgres:zerotoil-held-aaaaaaaaaaaa" in guest.log()
    text = guest.installed()
    assert f"Image={HELD}\n" in text and "AutoUpdate" not in text, "podman's own updates leave it alone"
    assert text == held(APP, declared(guest), [f"db {HELD}"])["app-db.container"], "so the plan is empty"
    assert "AutoUpdate=registry" in declared(guest)["app-db.container"], "what is declared is as it was"
    assert not list(guest.root.glob("etc/systemd/system/*")) and not list(guest.root.glob("var/lib/zerotoil/*"))
    assert (guest.state / "active-podman-auto-update.timer").exists()


@pytest.mark.parametrize("one", [False, True])
def test_an_older_ledger_calls_a_service_by_its_containers_name(guest: PodmanGuest, one: bool) -> None:
    disks = [guest.state / "yesterday", guest.data]
    for disk in disks:
        (entry,) = (disk / "zerotoil/ledger").glob("*.json")
        entry.write_text(entry.read_text().replace('"service": "db"', '"service": "app-db-1"'))
        gone = json.loads(entry.read_text())["containers"][0] | {"service": "app-cache-1"}
        entry.write_text(json.dumps({"containers": [*json.loads(entry.read_text())["containers"], gone]}))
    if one:
        assert guest.app_undo("prepare", APP, str(disks[0])) == f"db {HELD}\n"
        guest.app_undo("exchange", APP, "2026-11-26")
    else:
        assert guest.undo() == [Pin(APP, "db", HELD)]
    assert guest.running() and set(guest.met()) == FITTING


def test_the_boot_after_it_holds_it_too(guest: PodmanGuest) -> None:
    guest.undo()
    guest.power_cut()
    assert guest.running() and set(guest.met()) == FITTING


def test_and_forth(guest: PodmanGuest) -> None:
    """The volume of today has its own quadlets and holds nothing."""
    guest.undo()
    assert swap.release(guest.guest()) == ""
    guest.serve("today")
    swap.take(guest.guest())
    assert swap.resume(guest.guest()) == ["zerotoil-up-app.service"]
    assert guest.running() and set(guest.met()) == FITTING
    assert f"Image={DB}\n" in guest.installed()


@pytest.mark.parametrize("stage", ["released", "busy", "taken", "pinned"])
def test_no_app_starts_between_release_and_resume_not_even_after_a_power_cut(guest: PodmanGuest, stage: str) -> None:
    if stage == "busy":
        (guest.state / "busy").touch()
    said = swap.release(guest.guest())
    assert bool(said) == (stage == "busy")
    (guest.state / "busy").unlink(missing_ok=True)
    if stage == "busy":  # the VM is shut down for it
        (guest.state / "mounted").write_text("today")
    guest.serve("yesterday")
    if stage in ("taken", "pinned"):
        swap.take(guest.guest())
    if stage == "pinned":
        swap.pin(guest.guest())
    guest.power_cut()
    assert not guest.running() and guest.met() == [f"{NEW} today"]
    guest.systemctl("start", "app-db.service")
    assert not guest.running()
    assert (guest.root / "etc/systemd/system/podman-auto-update.service.d/zerotoil-swap.conf").exists()
    assert guest.undo() == [Pin(APP, "db", HELD)]
    assert guest.running() and set(guest.met()) == FITTING


def cut_everywhere(folder: Path, walk: Callable[[PodmanGuest], object], check: Callable[[PodmanGuest], None], first: int) -> None:
    """The walk, cut off by a power cut at each third change that its scripts make, and gone on with."""
    number, whole = first, False
    while not whole:
        guest = PodmanGuest(folder / str(number))
        (guest.state / "left").write_text(str(number))
        try:
            walk(guest)
            whole = True
        except AssertionError:
            assert (guest.state / "left").read_text().strip() == "0", "it failed by itself, not by the power cut"
        assert set(guest.met()) <= FITTING, number
        guest.power_cut()
        assert set(guest.met()) <= FITTING, number
        walk(guest)
        check(guest)
        assert set(guest.met()) == FITTING, number
        number += 3
    assert number > 15


@pytest.mark.parametrize("first", CUTS)
def test_cut_off_anywhere_a_second_run_finishes(tmp_path: Path, first: int) -> None:
    def check(guest: PodmanGuest) -> None:
        assert guest.running() and f"Image={HELD}\n" in guest.installed()
        assert not list(guest.root.glob("var/lib/zerotoil/*"))

    cut_everywhere(tmp_path, lambda guest: guest.undo(), check, first)


def test_scripts_of_a_day_that_held_no_images_are_brought_up_to_date(guest: PodmanGuest) -> None:
    """They lie on the data disk and go back with it: they would start the image that its tag names today."""
    (guest.state / "yesterday/zerotoil/bin/podman.sh").write_text(podman_sh(old=True))
    guest.undo()
    assert guest.running() and set(guest.met()) == FITTING
    script = guest.data / "zerotoil/bin/podman.sh"
    assert script.read_text() == podman_sh() and script.stat().st_mode & 0o777 == 0o755, "as a deploy would write it"


def test_an_app_that_came_later_is_gone(guest: PodmanGuest) -> None:
    later = guest.root / "etc/containers/systemd/zerotoil-later/later-web.container"
    later.parent.mkdir()
    later.write_text("[Container]\nContainerName=later-web-1\nImage=x\n")
    guest.undo()
    assert not later.parent.exists()


def test_an_image_that_is_gone_is_pulled_by_its_digest(guest: PodmanGuest) -> None:
    (guest.state / "gone").touch()
    guest.undo()
    assert f"podman pull --quiet {HELD}" in guest.log()
    assert guest.running()


def test_an_image_that_is_nowhere_starts_nothing_else(guest: PodmanGuest) -> None:
    for name in ("gone", "no-registry"):
        (guest.state / name).touch()
    guest.undo()
    assert (guest.state / "failed-zerotoil-up-app.service").exists()
    guest.power_cut()
    assert not guest.running() and guest.met() == [f"{NEW} today"]


def test_a_ledger_that_cannot_be_read_starts_no_app(guest: PodmanGuest) -> None:
    (guest.state / "yesterday/zerotoil/ledger/2026-11-25T02-00-00Z.json").write_text("{")
    with pytest.raises(AssertionError, match="cannot be read: no app was started"):
        guest.undo()
    guest.power_cut()
    assert not guest.running()


def test_a_podman_that_does_not_answer_keeps_the_disk(guest: PodmanGuest) -> None:
    (guest.state / "silent").touch()
    with pytest.raises(AssertionError, match="podman does not answer"):
        guest.undo()
    assert (guest.state / "mounted").read_text() == "today" and guest.running()


def test_what_was_made_by_hand_on_the_data_disk_waits_too(guest: PodmanGuest) -> None:
    """A container with a restart policy of its own, run by a service of the owner."""
    (guest.state / "hand").write_text("always\n")
    (guest.state / "active-hand.service").touch()
    assert swap.release(guest.guest()) == ""
    assert (guest.state / "hand").read_text() == "no\n" and "podman stop -t 30 hand" in guest.log()
    guest.systemctl("start", "hand.service")
    assert not (guest.state / "active-hand.service").exists()
    guest.serve("yesterday")
    guest.undo()
    assert (guest.state / "hand").read_text() == "always\n" and (guest.state / "active-hand.service").exists()


def test_a_container_that_would_start_by_itself_keeps_the_disk(guest: PodmanGuest) -> None:
    (guest.state / "hand").write_text("always\n")
    (guest.state / "fixed").touch()
    with pytest.raises(AssertionError, match="could not be kept from starting by itself"):
        guest.undo()
    assert (guest.state / "mounted").exists()


def one_app(guest: PodmanGuest) -> None:
    """What the controller does (workflows/undo_app.py)."""
    guest.app_undo("prepare", APP, str(guest.state / "yesterday"))
    guest.app_undo("exchange", APP, f"{len(list(guest.data.glob('zerotoil/undone/app.*')))}")
    guest.app_undo("settle", APP)


def test_one_app_goes_back_with_its_images_and_what_was_declared(guest: PodmanGuest) -> None:
    quadlet = guest.data / "zerotoil/quadlets/app/app-later.container"
    quadlet.write_text("[Container]\nContainerName=app-later-1\nImage=x\n")
    manifest = guest.data / "zerotoil/.zerotoil/files"
    manifest.write_text("0755 1 bin/podman.sh\n0644 2 quadlets/app/app-later.container\n0644 3 quadlets/app2/x.container\n")
    assert guest.app_undo("prepare", APP, str(guest.state / "yesterday")) == f"db {HELD}\n"
    assert guest.running() and guest.met() == [f"{NEW} today"], "it runs on until its folder is ready"
    guest.app_undo("exchange", APP, "1")
    guest.app_undo("settle", APP)
    assert guest.running() and set(guest.met()) == FITTING
    assert not quadlet.exists(), "a service of today would meet the data of yesterday"
    listed = manifest.read_text().splitlines()
    assert listed[:2] == ["0755 1 bin/podman.sh", "0644 3 quadlets/app2/x.container"]
    assert sorted(line.split()[2] for line in listed[2:]) == [f"quadlets/app/{name}" for name in sorted(declared(guest))]
    assert guest.app_undo("back", APP, "2") == "app.1\n"
    assert quadlet.exists() and f"Image={DB}\n" in guest.installed()
    assert set(guest.met()) == FITTING and not list(guest.data.glob("zerotoil/undone/.app.*"))


@pytest.mark.parametrize("first", CUTS)
def test_one_app_cut_off_anywhere(tmp_path: Path, first: int) -> None:
    def check(guest: PodmanGuest) -> None:
        assert guest.running() and (guest.data / "apps/app/content").read_text() == "yesterday\n"
        assert not (guest.data / "zerotoil/undone/.app.halted").exists()

    cut_everywhere(tmp_path, one_app, check, first)


def test_the_app_of_another_engine_is_not_taken(guest: PodmanGuest) -> None:
    (guest.state / "yesterday/zerotoil/quadlets/app").rename(guest.state / "elsewhere")
    with pytest.raises(AssertionError, match="in the snapshot app does not run with podman"):
        one_app(guest)
    assert guest.running() and guest.met() == [f"{NEW} today"]
