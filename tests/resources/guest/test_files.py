"""Files of ours in a guest, written and read by the real scripts."""

import stat
import subprocess

import pytest

from tests.mounts import own_mounts
from tests.resources.guest.conftest import LocalGuest
from zerotoil.errors import LabError
from zerotoil.model.places import TREE
from zerotoil.resources.guest.files import GuestFile
from zerotoil.resources.guest.own import OwnFiles

ONE = GuestFile(f"{TREE}/bin/one.sh", 0o755, "echo 1\n")
SECRET = GuestFile(f"{TREE}/notify/url", 0o600, "signal://s3cret\n", secret=True)
BINARY = GuestFile(f"{TREE}/logo.png", 0o644, bytes(range(256)))
ODD = GuestFile(f"{TREE}/with space/ä$x'.txt", 0o644, "line 1\nEND\n'quoted'\n")


def tree(local: LocalGuest, *files: GuestFile) -> OwnFiles:
    return OwnFiles(local.guest, files)


def lines(changes: object) -> list[str]:
    return [str(change) for change in changes]  # type: ignore[attr-defined]


def test_what_is_written_is_as_declared_and_then_nothing_is_to_do(local: LocalGuest) -> None:
    made = tree(local, ONE, SECRET, BINARY, ODD)
    assert len(made.apply()) == 4
    for file in (ONE, SECRET, BINARY, ODD):
        path = local.data / file.path.removeprefix("/var/mnt/data/")
        assert path.read_bytes() == file.data
        assert stat.S_IMODE(path.stat().st_mode) == file.mode
    assert stat.S_IMODE((local.data / "zerotoil").stat().st_mode) == 0o700  # nobody but root gets in,
    assert stat.S_IMODE((local.data / "zerotoil/with space").stat().st_mode) == 0o755  # but a container that mounts a part of it
    before = len(local.scripts)
    assert made.plan() == [] and made.apply() == []
    assert len(local.scripts) == before  # read back at the end of the first, and kept


def test_a_container_of_any_user_reads_a_file_that_it_mounts_and_nobody_else_does(local: LocalGuest) -> None:
    """The examples declare no user for that: a bind mount of a file does not pass the folder that lets only root in."""
    own_mounts()
    tree(local, BINARY).apply()
    file, nobody = local.data / "zerotoil/logo.png", "setpriv --reuid=65534 --regid=65534 --clear-groups"
    script = f"mount --bind {file} /etc/hostname && {nobody} sha256sum /etc/hostname; {nobody} cat {file}"
    done = subprocess.run(["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True, timeout=20)
    assert done.stdout.split()[:1] == [BINARY.sha256]
    assert done.returncode != 0 and "Permission denied" in done.stderr


def test_a_change_by_hand_is_shown_as_a_diff_and_mended(local: LocalGuest) -> None:
    tree(local, ONE).apply()
    (local.data / "zerotoil/bin/one.sh").write_text("echo 2\n")
    local.guest.forget()
    (change,) = tree(local, ONE).plan()
    assert (change.field, change.before, change.after) == ("file bin/one.sh", "echo 2\n", "echo 1\n")
    tree(local, ONE).apply()
    assert (local.data / "zerotoil/bin/one.sh").read_text() == "echo 1\n"


def test_a_mode_changed_by_hand_is_seen(local: LocalGuest) -> None:
    tree(local, SECRET).apply()
    (local.data / "zerotoil/notify/url").chmod(0o644)
    local.guest.forget()
    assert lines(tree(local, SECRET).plan()) == ["own files: file notify/url mode 0644 -> 0600"]
    tree(local, SECRET).apply()
    assert stat.S_IMODE((local.data / "zerotoil/notify/url").stat().st_mode) == 0o600


def test_a_removed_file_comes_back_and_one_declared_no_more_goes(local: LocalGuest) -> None:
    tree(local, ONE, ODD).apply()
    (local.data / "zerotoil/bin/one.sh").unlink()
    local.guest.forget()
    assert [change.field for change in tree(local, ONE).plan()] == ["file bin/one.sh", "file with space/ä$x'.txt"]
    tree(local, ONE).apply()
    assert not (local.data / "zerotoil/with space/ä$x'.txt").exists()
    assert (local.data / "zerotoil/bin/one.sh").exists()


def kept(local: LocalGuest) -> list[str]:
    return sorted(path.read_text() for path in (local.data / "zerotoil/.zerotoil/kept").rglob("*.sh*"))


def test_what_was_changed_since_is_kept_before_it_is_replaced_or_taken_away(local: LocalGuest) -> None:
    """An app may write into a file that it was given: nothing of that is lost."""
    path = local.data / "zerotoil/bin/one.sh"
    tree(local, ONE).apply()
    path.write_text("first\n")
    local.guest.forget()
    tree(local, ONE).apply()
    assert kept(local) == ["first\n"]
    path.write_text("second\n")
    local.guest.forget()
    tree(local, ODD).apply()
    assert not path.exists() and kept(local) == ["first\n", "second\n"]


def test_what_is_as_we_wrote_it_is_not_kept(local: LocalGuest) -> None:
    tree(local, ONE).apply()
    tree(local, GuestFile(ONE.path, 0o755, "echo 2\n")).apply()
    tree(local, ODD).apply()
    assert not (local.data / "zerotoil/.zerotoil/kept").exists()


def test_a_secret_is_never_shown(local: LocalGuest) -> None:
    said = lines(tree(local, SECRET).apply())
    new = GuestFile(SECRET.path, 0o600, "signal://other\n", secret=True)
    said += lines(tree(local, new).plan())
    assert said == ["own files: create file notify/url ********", "own files: file notify/url ******** -> ******** (new)"]
    assert not any("base64 -w0" in script for script in local.scripts)  # and never read back


def test_a_file_that_somebody_else_made_is_not_overwritten(local: LocalGuest) -> None:
    path = local.data / "zerotoil/bin/one.sh"
    path.parent.mkdir(parents=True)
    path.write_text("theirs\n")
    with pytest.raises(LabError, match=r"bin/one\.sh is there and not ours: move it away"):
        tree(local, ONE).apply()
    assert path.read_text() == "theirs\n"


def test_nothing_is_written_without_the_data_disk(local: LocalGuest) -> None:
    local.env["PATH"] = f"{local.data.parent}/no:{local.env['PATH']}"
    (local.data.parent / "no").mkdir()
    (local.data.parent / "no/mountpoint").write_text("#!/bin/sh\nexit 1\n")
    (local.data.parent / "no/mountpoint").chmod(0o755)
    with pytest.raises(LabError, match=r"/var/mnt/data is not mounted: nothing is written"):
        tree(local, ONE).apply()
    assert list(local.data.iterdir()) == []
