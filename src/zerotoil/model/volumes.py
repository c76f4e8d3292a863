"""The volumes of a host: its data volume, and those that are declared beside it (`data_more`). Pure.

Whatever serves the data volume serves another one too, when it is given the host *as seen through* that volume.
"""

from __future__ import annotations

from dataclasses import dataclass

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.places import DATA
from zerotoil.model.spec import HostSpec

FIRST = "data"


@dataclass(frozen=True)
class Volume:
    """One volume. `spec` is the host as seen through it: zvol, extent, LUN, serial and filesystem are those of the volume."""

    name: str
    mount: str
    spec: HostSpec

    @property
    def is_data(self) -> bool:
        """Is it the data volume, on which everything of zerotoil's lies?"""
        return self.name == FIRST

    @property
    def words(self) -> str:
        """For messages."""
        return "the data volume" if self.is_data else f"the volume {self.name}"


def volumes(spec: HostSpec) -> tuple[Volume, ...]:
    """All of them, the data volume first."""
    return (Volume(FIRST, DATA, spec), *further(spec))


def further(spec: HostSpec) -> tuple[Volume, ...]:
    """Those beside the data volume, as they are declared."""
    return tuple(Volume(name, declared.mount, _seen(spec, name)) for name, declared in spec.data.more.items())


def volume(spec: HostSpec, name: str) -> Volume:
    """The volume of that name; the data volume for none. Raises LabError."""
    found = next((one for one in volumes(spec) if one.name == (name or FIRST)), None)
    if found is None:
        known = ", ".join(one.name for one in volumes(spec))
        raise LabError(f"{spec.name} has no volume {name}", f"it has {known}", code=Code.NO_SUCH_VOLUME)
    return found


def _seen(spec: HostSpec, name: str) -> HostSpec:
    declared = spec.data.more[name]
    data = spec.data.model_copy(
        update={
            "volume": f"{spec.dataset}/{name}",
            "size": declared.size,
            "filesystem": declared.filesystem,
            "label": declared.label,
            "serial": declared.serial,
            "blocksize": declared.blocksize,
            "partlabel": None,
            "snapshot_dataset": spec.snapshot_dataset,  # the host's: its tasks are recursive
            "more": {},
        }
    )
    iscsi = spec.iscsi.model_copy(update={"extent": f"{spec.iscsi.extent}-{name}", "lun": declared.lun})
    return spec.model_copy(update={"data": data, "iscsi": iscsi})
