"""libvirt's `iscsi` pool of a host (block form): the hypervisor's kernel logs in when it starts.

Kept defined, started and autostarted, before the VM that reads the device. Never stopped while the VM is on. libvirt
cannot delete or format anything in a pool of this type.
"""

from __future__ import annotations

from typing import Any

from lxml import etree

from zerotoil.clients.hypervisor import Hypervisor
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.spec import HostSpec
from zerotoil.model.volumes import further
from zerotoil.render.domain_storage import iscsi_pool_name, render_iscsi_pool
from zerotoil.resources.hypervisor.observe import keeps_disk
from zerotoil.resources.resource import Change, Risk, created, must_match, updated

_PATHS = {
    "portal": ("source/host", "name"),
    "port": ("source/host", "port"),
    "target": ("source/device", "path"),
    "initiator": ("source/initiator/iqn", "name"),
    "CHAP user": ("source/auth", "username"),
    "CHAP secret": ("source/auth/secret", "usage"),
}


class IscsiPool:
    """The login to the host's target."""

    def __init__(self, spec: HostSpec, hypervisor: Hypervisor, iqn: str) -> None:
        self.spec, self.hypervisor, self.iqn, self.name = spec, hypervisor, iqn, iscsi_pool_name(spec)

    @property
    def key(self) -> str:
        """Natural key: the pool's name."""
        return f"iSCSI pool {self.name}"

    def plan(self) -> list[Change]:
        """Missing, different, stopped or not autostarted. An adopted VM keeps the login it has."""
        if keeps_disk(self.spec, self.hypervisor):
            return []
        want = _fields(render_iscsi_pool(self.spec, self.iqn)) | {"started": True, "autostart": True}
        state = self.hypervisor.storage.pools().get(self.name)
        if state is None:
            return created(self.key, {field: value for field, value in want.items() if value})
        xml = self.hypervisor.storage.pool_xml(self.name)
        if etree.fromstring(xml.encode()).get("type") != "iscsi":
            raise LabError(
                f"{self.key}: the hypervisor has another pool of that name",
                f"rename the pool {self.name}",
                code=Code.STORAGE_POOL_KIND,
            )
        have = _fields(xml) | {"started": state[0], "autostart": state[1]}
        if state[0]:
            want, have = want | self._luns("seen"), have | self._luns("not seen", missing=True)
        changes = updated(self.key, want, have)
        return [
            Change(c.resource, c.action, c.field, c.before, c.after, Risk.RESTART if c.field in _PATHS else Risk.SAFE)
            for c in changes
        ]

    def apply(self) -> list[Change]:
        """Define, log in, autostart. A changed login waits for the next start while the VM is on."""
        self.hypervisor.forget()
        changes = self.plan()
        if not changes:
            return []
        storage, fields = self.hypervisor.storage, {change.field for change in changes}
        if fields & set(_PATHS):
            storage.define_pool(self.name, self._xml_keeping_uuid())
            if storage.pools()[self.name][0] and not self._in_use():
                storage.stop_pool(self.name)
        if not storage.pools()[self.name][0]:
            storage.start_pool(self.name)
        elif any(field.startswith("LUN ") for field in fields):
            storage.refresh(self.name)  # lets the kernel look for LUNs that came after its login
        if not storage.pools()[self.name][1]:
            storage.autostart_pool(self.name)
        must_match(self.key, self.plan())
        return changes

    def _luns(self, word: str, *, missing: bool = False) -> dict[str, str]:
        """The volumes beside the data, by LUN; with `missing` those that the login does not see get the word."""
        if self.hypervisor.is_test or not self.spec.data.more:  # the test driver has no LUNs
            return {}
        seen = {name.rpartition(":")[2] for name in self.hypervisor.storage.names(self.name)} if missing else set()
        luns = [str(volume.spec.iscsi.lun) for volume in further(self.spec)]
        return {f"LUN {lun}": "seen" if lun in seen else word for lun in luns}

    def _in_use(self) -> bool:
        state = self.hypervisor.domains().get(self.spec.name)
        return bool(state and state.active)

    def _xml_keeping_uuid(self) -> str:
        pool = etree.fromstring(render_iscsi_pool(self.spec, self.iqn).encode())
        if self.name in self.hypervisor.storage.pools():
            known = etree.fromstring(self.hypervisor.storage.pool_xml(self.name).encode())
            etree.SubElement(pool, "uuid").text = known.findtext("uuid", "")
        return etree.tostring(pool, encoding="unicode")


def _fields(xml: str) -> dict[str, Any]:
    pool = etree.fromstring(xml.encode())
    found = {field: pool.find(path) for field, (path, _) in _PATHS.items()}
    return {field: element.get(_PATHS[field][1]) if (element := found[field]) is not None else None for field in _PATHS}
