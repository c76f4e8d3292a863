"""The guard in front of every first boot: every row of its table, and that doubt is never allowed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerotoil.clients.device import Unreadable
from zerotoil.errors import LabError
from zerotoil.model.data_volume import DataMark, Filesystem, Finding, VolumeState
from zerotoil.resources import guard

WANT = Filesystem("ext4", "data")
OURS = Filesystem("ext4", "data", "uuid-1")
BLANK = DataMark("home/matrix", VolumeState.BLANK)
BOOTED = DataMark("home/matrix", VolumeState.FIRST_BOOT)
KNOWN = DataMark("home/matrix", VolumeState.DATA, OURS)
NOTHING = Finding(blank=True)
GPT = Finding(other="a gpt partition table")
DARK = Unreadable("no qemu-img")


def verdict(mark: DataMark | None, found: Finding | Unreadable) -> guard.Allowed | guard.Refused:
    return guard.verdict(host="matrix", want=WANT, owner="home/matrix", mark=mark, found=found)


@pytest.mark.parametrize(
    ("mark", "found", "reason"),
    [
        (BLANK, NOTHING, "blank, and created empty by us"),
        (BOOTED, NOTHING, "blank, and created empty by us"),
        (BLANK, DARK, "created empty by us and never booted"),
        (BOOTED, Finding(filesystem=OURS), 'holds ext4 "data" uuid-1'),
        (KNOWN, Finding(filesystem=OURS), 'holds ext4 "data" uuid-1'),
        (KNOWN, DARK, 'a healthy guest had it mounted as ext4 "data" uuid-1'),
    ],
)
def test_allowed(mark: DataMark, found: Finding | Unreadable, reason: str) -> None:
    assert verdict(mark, found) == guard.Allowed(reason)


@pytest.mark.parametrize(
    ("mark", "found", "what"),
    [
        (None, NOTHING, "matrix: the data volume carries no mark of ours"),
        (DataMark("home/other", VolumeState.BLANK), NOTHING, "matrix: the data volume is marked as home/other's"),
        (BLANK, GPT, 'matrix: the data volume holds a gpt partition table, expected is ext4 "data"'),
        (KNOWN, GPT, 'matrix: the data volume holds a gpt partition table, expected is ext4 "data"'),
        (BLANK, Finding(other="LVM2_member"), 'matrix: the data volume holds LVM2_member, expected is ext4 "data"'),
        (
            BOOTED,
            Finding(filesystem=Filesystem("xfs", "data", "u")),
            'matrix: the data volume holds xfs "data" u, expected is ext4 "data"',
        ),
        (
            BOOTED,
            Finding(filesystem=Filesystem("ext4", "", "u")),
            'matrix: the data volume holds ext4 u, expected is ext4 "data"',
        ),
        (
            KNOWN,
            Finding(filesystem=Filesystem("ext4", "data", "uuid-2")),
            'matrix: the data volume holds ext4 "data" uuid-2, recorded is ext4 "data" uuid-1',
        ),
        (
            DataMark("home/matrix", VolumeState.DATA),
            Finding(filesystem=OURS),
            'matrix: the data volume holds ext4 "data" uuid-1, recorded is no filesystem',
        ),
        (KNOWN, NOTHING, 'matrix: the data volume held ext4 "data" uuid-1 and is empty now'),
        (BOOTED, DARK, "matrix: a first boot was started with the data volume, and it cannot be read now (no qemu-img)"),
        (
            DataMark("home/matrix", VolumeState.DATA, Filesystem("xfs", "data", "u")),
            DARK,
            'matrix: the data volume is recorded as xfs "data" u, expected is ext4 "data"',
        ),
    ],
)
def test_refused(mark: DataMark | None, found: Finding | Unreadable, what: str) -> None:
    answer = verdict(mark, found)
    assert isinstance(answer, guard.Refused)
    assert answer.what == what
    assert "nothing was written" in answer.remedy


def test_check_raises_what_was_refused() -> None:
    with pytest.raises(LabError, match="holds a gpt partition table"):
        guard.check(host="matrix", want=WANT, owner="home/matrix", mark=BLANK, found=GPT)


filesystems = st.builds(
    Filesystem, st.sampled_from(["ext4", "xfs", "btrfs"]), st.sampled_from(["data", "", "other"]), st.sampled_from(["a", "b"])
)
marks = st.none() | st.builds(
    DataMark, st.sampled_from(["home/matrix", "home/x"]), st.sampled_from(VolumeState), st.none() | filesystems
)


@given(marks, st.sampled_from(["a gpt partition table", "a dos partition table", "LVM2_member", "data of no known kind"]))
def test_anything_but_a_filesystem_or_nothing_is_never_allowed(mark: DataMark | None, other: str) -> None:
    assert isinstance(verdict(mark, Finding(other=other)), guard.Refused)


@given(marks, filesystems)
def test_only_the_expected_filesystem_is_allowed(mark: DataMark | None, found: Filesystem) -> None:
    if isinstance(verdict(mark, Finding(filesystem=found)), guard.Allowed):
        assert (found.type, found.label) == ("ext4", "data")
        assert mark is not None
        assert mark.owner == "home/matrix"
        if mark.state is VolumeState.DATA:
            assert mark.filesystem is not None
            assert mark.filesystem.uuid == found.uuid


others = st.sampled_from(["a gpt partition table", "LVM2_member", "data of no known kind"])
findings = st.one_of(
    st.just(NOTHING),
    st.just(Finding()),
    st.just(DARK),
    st.builds(Finding, filesystem=filesystems),
    st.builds(Finding, other=others),
)


@given(marks, findings)
def test_only_our_own_volume_is_allowed_and_blank_only_while_it_held_nothing(
    mark: DataMark | None, found: Finding | Unreadable
) -> None:
    if isinstance(verdict(mark, found), guard.Allowed):
        assert mark is not None
        assert mark.owner == "home/matrix"
        assert found != Finding()
        assert not (found == NOTHING and mark.state is VolumeState.DATA)
        assert not (found == DARK and mark.state is VolumeState.FIRST_BOOT)
