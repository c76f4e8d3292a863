"""Data volumes beside a host's data volume (`data_more`), and the rules that several volumes of one host must keep. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from zerotoil.model.section import Section, Wrong
from zerotoil.model.units import Int, Size

if TYPE_CHECKING:
    from zerotoil.model.spec import HostSpec

PARENT = "/var/mnt"
MOST_LUN = 16382
_NAME = r"[a-z][a-z0-9-]{0,15}"
_LABEL = {"ext4": 16, "xfs": 12}  # bytes a label may have: mke2fs -L, mkfs.xfs -L
_EXTENT = 64  # characters that TrueNAS gives the name of an extent
_OS, _RESTORED = "os", "zr-"  # the serial of the OS disk, and what those of disks beside the data begin with


def _whole_mebibytes(size: int) -> int:
    if size % (1024**2):
        raise ValueError('a volume is a whole number of MiB; write for instance "200 GiB"')
    return size


def _zfs_blocksize(size: int | None) -> int | None:
    if size and (size & (size - 1) or not 1024 <= size <= 128 * 1024):
        raise ValueError('a volblocksize is a power of two from "1 KiB" to "128 KiB"; write for instance "16 KiB"')
    return size


def _serial_in_a_path(serial: str) -> str:
    if serial and not re.fullmatch(r"[A-Za-z0-9._-]+", serial):
        raise ValueError(f"{serial!r} is not a serial; it is part of a device's path: use A-Z, a-z, 0-9, '.', '_' and '-'")
    return serial


VolumeSize = Annotated[Size, AfterValidator(_whole_mebibytes)]
Blocksize = Annotated[Size, AfterValidator(_zfs_blocksize)]
Serial = Annotated[str, AfterValidator(_serial_in_a_path)]


def check_label(filesystem: str, label: str) -> None:
    """Raise Wrong for a label that the filesystem could not keep."""
    longest = _LABEL[filesystem]
    if not re.fullmatch(rf"[A-Za-z0-9_-]{{1,{longest}}}", label):
        what = f"{label!r} is not a label of {filesystem}; use 1 to {longest} of A-Z, a-z, 0-9, '_' and '-'"
        raise Wrong(what, "label")


class VolumeSpec(Section):
    """A zvol beside the host's data, under the same target. It is never shrunk, formatted or deleted either."""

    size: VolumeSize = Field(description="Size of the volume; it may grow, never shrink")
    filesystem: Literal["ext4", "xfs"] = Field("ext4", description="ext4 or xfs (default: ext4); made at a first boot only")
    label: str = Field("", description="Filesystem label, at most 16 characters (xfs: 12); default: the volume's name")
    serial: Serial = Field("", description="Disk serial, at most 20 bytes; default: HOST-NAME")
    blocksize: Blocksize | None = Field(None, description="volblocksize of a new zvol; default: what TrueNAS recommends")
    mount: str = Field("", description="Where it is in the guest, right below /var/mnt; default: /var/mnt/NAME")
    lun: Int = Field(
        0,
        ge=0,
        le=MOST_LUN,
        description="LUN; default: the one after that of the volume before, so append new ones at the end",
    )

    @field_validator("mount")
    @classmethod
    def _right_below_the_parent(cls, path: str) -> str:
        name = path.removeprefix(f"{PARENT}/")
        if path and (name in ("data", "restore") or not re.fullmatch(rf"{PARENT}/[A-Za-z0-9][A-Za-z0-9._-]{{0,31}}", path)):
            raise ValueError(f"{path!r} is not a place for a volume; write {PARENT}/NAME, and neither data nor restore for NAME")
        return path

    @model_validator(mode="after")
    def _label_fits(self) -> VolumeSpec:
        if self.label:  # without one it has a name that is refused
            check_label(self.filesystem, self.label)
        return self


def check_names(more: Mapping[str, object]) -> None:
    """Raise ValueError for what could not be the name of a zvol, an extent and a folder, or would be taken for one of ours."""
    for name in more:
        if wrong := _wrong_name(name):
            raise ValueError(f"{name!r} {wrong}")


def _wrong_name(name: str) -> str:
    if not re.fullmatch(_NAME, name):
        return "is not the name of a volume; use a-z, 0-9 and '-', at most 16, a letter first"
    if name.split("-")[0] == "data" or "restore" in name.split("-"):
        return "could be taken for the data volume or a clone of one; choose another name"
    return ""


def with_defaults(more: Any, host: str, lun: Any) -> Any:
    """The volumes with what follows from host and name filled in. What is malformed is left for its own message."""
    if not isinstance(more, dict):
        return more
    filled, before = {}, lun if isinstance(lun, int) else 0
    for name, given in more.items():
        if isinstance(given, dict) and isinstance(name, str) and not _wrong_name(name):
            defaults = {"label": name, "serial": f"{host}-{name}", "mount": f"{PARENT}/{name}", "lun": before + 1}
            given = defaults | {field: value for field, value in given.items() if value != ""}
            before = given["lun"] if isinstance(given["lun"], int) else before + 1
        filled[name] = given
    return filled


def check_more(spec: HostSpec, longest_serial: int) -> None:
    """Raise Wrong where the volumes of one host do not go together, or not with the rest of it."""
    more = spec.data.more
    if not more:
        return
    for key, is_declared in (("vm_adopt", spec.vm.adopt), ("data_volume", bool(spec.data.volume))):
        if is_declared:
            raise Wrong(f"a host with {key} has one data volume; take data_more out", "data", "more")
    for name, volume in more.items():
        _check_serial(name, volume, longest_serial)
        if len(extent := f"{spec.iscsi.extent}-{name}") > _EXTENT:
            raise Wrong(f"the extent {extent!r} has more than {_EXTENT} characters; write a shorter iscsi_extent", "data", "more")
        zvol = f"{spec.dataset}/{name}"
        if not f"{zvol}/".startswith(f"{spec.snapshot_dataset}/"):
            what = f"data_snapshot_dataset {spec.snapshot_dataset} does not hold the volume {zvol}; write {spec.dataset}"
            raise Wrong(what, "data", "more")
    for name, field, what in _twice(spec):
        raise Wrong(what, "data", "more", name, field)


def _check_serial(name: str, volume: VolumeSpec, longest: int) -> None:
    size = len(volume.serial.encode())
    if size > longest:
        what = f"{volume.serial!r} is {size} bytes, virtio keeps {longest}; write a shorter serial"
        raise Wrong(what, "data", "more", name, "serial")
    if volume.serial == _OS or volume.serial.startswith(_RESTORED) or not volume.serial:
        raise Wrong(f"{volume.serial!r} is a serial of zerotoil's own disks; write another", "data", "more", name, "serial")


def _twice(spec: HostSpec) -> Iterator[tuple[str, str, str]]:
    """(name, field, what is wrong) of every volume that has what an earlier one has."""
    taken: dict[tuple[str, object], str] = {
        ("serial", spec.data.serial): "the data volume",
        ("label", spec.data.label): "the data volume",
        ("lun", spec.iscsi.lun): "the data volume",
    }
    for name, volume in spec.data.more.items():
        for field in ("serial", "label", "mount", "lun"):
            value = getattr(volume, field)
            other = taken.setdefault((field, value), name)
            if other != name:
                yield name, field, f"{value} is already that of {other}; every volume needs its own"
