"""The data volume as it is declared: where it lies, what it holds, when it is snapshotted."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, field_validator, model_validator

from zerotoil.model.more_data import Blocksize, Serial, VolumeSize, VolumeSpec, check_label, check_names
from zerotoil.model.section import Section
from zerotoil.model.snapshots import TierSpec, check_distinct, check_naming, check_tier_names
from zerotoil.model.units import Cron, KeepFor, Lifetime, Schedule

_PARTITIONS_OF_THE_OS = {"boot", "root", "efi-system", "bios-boot", "reserved", "prep", "powerpc-prep-boot"}


class DataSpec(Section):
    """The data volume: a zvol on the NAS, /var/mnt/data in the guest. It is never shrunk, formatted or deleted."""

    size: VolumeSize = Field(description="Size of the volume; it may grow, never shrink")
    volume: str | None = Field(None, description="The zvol, where it is another than nas_dataset/HOST/data: tank/vms/matrix")
    partlabel: str | None = Field(
        None, description="The filesystem is in the GPT partition of this label, made by hand; such a disk is never made here"
    )
    filesystem: Literal["ext4", "xfs"] = Field("ext4", description="Filesystem, made at the very first boot only")
    label: str = Field("data", description="Filesystem label, at most 16 characters (xfs: 12)")
    serial: Serial = Field("", description="Disk serial, at most 20 bytes; default: HOST-data")
    attach: Literal["network", "block"] = Field(
        "block", description="block: the hypervisor's kernel logs in (production); network: QEMU's own initiator"
    )
    blocksize: Blocksize | None = Field(None, description="volblocksize of a new zvol; default: what TrueNAS recommends")
    snapshot_dataset: str | None = Field(None, description="Dataset of the snapshot task; default: the host's, or data_volume")
    snapshot_schedule: Schedule = Field(Cron("0", "2", "*", "*", "*"), description="When the NAS snapshots the host's dataset")
    snapshot_keep: KeepFor = Field(Lifetime(14, "day"), description="How long a snapshot is kept")
    snapshot_naming: str = Field("auto-%Y-%m-%d_%H-%M", description="Naming schema of the snapshots")
    snapshot_tiers: dict[str, TierSpec] = Field(
        default_factory=dict,
        description='More snapshots beside these (tier "nightly"): {"weekly": {"schedule": "0 3 * * 0", "keep": "3 months"}}',
    )
    more: dict[str, VolumeSpec] = Field(
        default_factory=dict, description='More volumes, at /var/mnt/NAME: {"media": {"size": "2 TiB", "filesystem": "xfs"}}'
    )

    @model_validator(mode="after")
    def _label_fits(self) -> DataSpec:
        check_label(self.filesystem, self.label)
        return self

    @field_validator("snapshot_naming")
    @classmethod
    def _naming(cls, schema: str) -> str:
        return check_naming(schema)

    @field_validator("snapshot_tiers")
    @classmethod
    def _tier_names(cls, tiers: dict[str, TierSpec]) -> dict[str, TierSpec]:
        check_tier_names(tiers)
        return tiers

    @field_validator("more")
    @classmethod
    def _volume_names(cls, more: dict[str, VolumeSpec]) -> dict[str, VolumeSpec]:
        check_names(more)
        return more

    @model_validator(mode="after")
    def _snapshots_told_apart(self) -> DataSpec:
        check_distinct(self.snapshot_naming, self.snapshot_tiers)
        return self

    @field_validator("volume", "snapshot_dataset")
    @classmethod
    def _dataset_name(cls, name: str | None) -> str | None:
        if name is not None and not re.fullmatch(r"[A-Za-z][\w.:-]*(/[\w.: -]+)*", name):
            raise ValueError(f"{name!r} is not the name of a dataset; write for instance tank/vms/matrix")
        return name

    @field_validator("partlabel")
    @classmethod
    def _partition_label(cls, label: str | None) -> str | None:
        if label is None:
            return None
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,35}", label):
            raise ValueError(f"{label!r} is not a partition label; use at most 36 of A-Z, a-z, 0-9, '.', '_', '+' and '-'")
        if label.lower() in _PARTITIONS_OF_THE_OS:
            raise ValueError(f"{label!r} is a partition of CoreOS's own disk; give the data partition another label")
        return label
