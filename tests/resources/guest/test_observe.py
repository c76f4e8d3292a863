"""What the guest says of its volumes, in the one script that observes it."""

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import make_spec
from tests.resources.guest.conftest import LocalGuest
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.data_volume import Filesystem
from zerotoil.model.volumes import Volume, further, volumes

# findmnt's own words; the second is a bind mount of a container, the last one is mounted over the first
ALL = """{"filesystems": [
  {"target": "/", "source": "/dev/vda4", "fstype": "xfs", "label": "root", "uuid": "a"},
  {"target": "/var/mnt/data", "source": "/dev/vdb", "fstype": "ext4", "label": "data", "uuid": "b"},
  {"target": "/var/mnt/my-media", "source": "/dev/vdc", "fstype": "ext4", "label": null, "uuid": "c"},
  {"target": "/var/mnt/restore/x", "source": "/dev/vdd", "fstype": "ext4", "label": "data", "uuid": "b"},
  {"target": "/var/mnt/my-media", "source": "/dev/vdc", "fstype": "xfs", "label": "media", "uuid": "d"}]}"""
ONE = '{"filesystems": [{"source": "/dev/vdb", "fstype": "ext4", "label": "data", "uuid": "b"}]}'
FINDMNT = f"""#!/bin/sh
echo findmnt "$@" >>"$ZEROTOIL_STATE/findmnt.log"
case "$*" in *--mountpoint*) echo '{ONE}' ;; *) echo '{ALL}' ;; esac
"""
MORE = {"media": {"size": "1 GiB", "mount": "/var/mnt/my-media"}, "db": {"size": "1 GiB"}}


@pytest.fixture
def place(local: LocalGuest, tmp_path: Path) -> Path:
    """A guest with only its data mounted."""
    programs = tmp_path / "bin"
    (programs / "findmnt").write_text(FINDMNT)
    for name in ("mnt/data", "mnt/restore", "units"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "units/var-mnt-data.mount").touch()
    local.env |= {"ZEROTOIL_MOUNTS": str(tmp_path / "mnt"), "ZEROTOIL_SYSTEM": str(tmp_path / "units")}
    return tmp_path


def asked(local: LocalGuest) -> int:
    return len((local.state / "findmnt.log").read_text().splitlines())


def of(name: str) -> Volume:
    return next(one for one in volumes(make_spec(data_more=MORE)) if one.name == name)


def test_a_host_with_its_data_alone_pays_for_nothing_more(local: LocalGuest, place: Path) -> None:
    facts: dict[str, Any] = local.guest.facts()
    assert facts["data"] == {"source": "/dev/vdb", "type": "ext4", "label": "data", "uuid": "b"}
    assert (facts["mounts"], facts["mount_units"], asked(local)) == ({}, ["var-mnt-data.mount"], 1)


def test_what_is_mounted_beside_it_is_said(local: LocalGuest, place: Path) -> None:
    (place / "mnt/my-media").mkdir()
    (place / r"units/var-mnt-my\x2dmedia.mount").touch()
    guest = local.guest
    mounts = guest.facts()["mounts"]
    assert set(mounts) == {"/var/mnt/data", "/var/mnt/my-media"}
    assert mounts["/var/mnt/my-media"] == {"source": "/dev/vdc", "type": "xfs", "label": "media", "uuid": "d"}
    assert asked(local) == 2
    assert guest.filesystem(of("media")) == Filesystem("xfs", "media", "d")
    assert guest.filesystem(of("data")) == guest.data_filesystem() == Filesystem("ext4", "data", "b")
    assert [guest.knows(one) for one in further(make_spec(data_more=MORE))] == [True, False]
    with pytest.raises(LabError, match="matrix: /var/mnt/db is not mounted.*systemctl status var-mnt-db.mount") as caught:
        guest.filesystem(of("db"))
    assert caught.value.code is Code.DATA_NOT_MOUNTED
