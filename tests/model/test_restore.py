"""The names of a restore: as the servers allow them, and found again in what is there."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import make_spec
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.restore import Restore, check_name, default_name, is_name, name_in, name_of_target


@pytest.mark.parametrize(
    ("snapshot", "name"),
    [
        ("auto-2026-11-25_02-00", "auto-2026-11-25-02-00"),
        ("auto-hourly-2026-11-26_02-00", "hourly-2026-11-26-02-00"),
        ("manual-2026-11-26_03-26-23", "2026-11-26-03-26-23"),
        ("Before the move!", "before-the-move"),
        ("x" * 40, "x" * 24),
        ("___", "snapshot"),
    ],
)
def test_a_snapshots_name_made_safe(snapshot: str, name: str) -> None:
    assert default_name(snapshot) == name


@given(st.text(max_size=80))
def test_a_default_name_is_always_one(snapshot: str) -> None:
    assert is_name(default_name(snapshot))


@pytest.mark.parametrize("name", ["", "-x", "x-", "Yesterday", "a/b", "a b", "..", "x" * 25, "a\n"])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(LabError, match="is no name of a restore") as caught:
        check_name(name)
    assert caught.value.code is Code.WRONG_OPTION


def test_all_names_of_one() -> None:
    one = Restore(make_spec(), "yesterday")
    assert one.clone_of("tank/lab/matrix/data") == "tank/lab/matrix/data-restore-yesterday"
    assert (one.extent, one.target, one.pool) == ("matrix-restore-yesterday",) * 2 + ("matrix-data-restore-yesterday",)
    assert one.comment == "zerotoil home/matrix restore yesterday"
    assert (one.folder, len(one.serial)) == ("/var/mnt/restore/yesterday", 15)
    assert one.serial != Restore(make_spec(), "yesterdaz").serial


@pytest.mark.parametrize("target", ["matrix", "iqn.2026-01.lan.nas:matrix", "m" * 120])
def test_names_fit_the_nas(target: str) -> None:
    spec = make_spec(iscsi_target=target, iscsi_extent="E" * 64)
    one = Restore(spec, "x" * 24)
    assert re.fullmatch(r"[-a-z0-9.:]{1,120}", one.target) and len(one.extent) <= 64 and '"' not in one.extent
    other = Restore(make_spec(iscsi_target=target[:-1] + "z", iscsi_extent="E" * 63 + "F"), "x" * 24)
    assert other.target != one.target and other.extent != one.extent, "told apart though both are cut"


def test_found_again() -> None:
    spec = make_spec()
    assert name_in("tank/lab/matrix/data-restore-a-b", "tank/lab/matrix/data") == "a-b"
    assert name_in("tank/lab/matrix/data", "tank/lab/matrix/data") == ""
    assert name_in("tank/lab/matrix/data-restore-A", "tank/lab/matrix/data") == "", "not made by us"
    assert name_of_target(spec, "matrix-restore-a") == name_of_target(spec, "iqn.2005-10.org.nas:matrix-restore-a") == "a"
    assert name_of_target(spec, "iqn.2005-10.org.nas:xmatrix-restore-a") == name_of_target(spec, "matrix") == ""
