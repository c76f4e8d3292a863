"""The inventory that describes what was found, as Python text in the project's own format. Pure.

What could not be known is marked `# not known: …`, beside a value to start from, or beside nothing where a guess could
lock a VM out.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from zerotoil.adopt.domains import FoundVm
from zerotoil.adopt.guest import FoundGuest
from zerotoil.adopt.nas import FoundVolume
from zerotoil.model.data import DataSpec
from zerotoil.model.inventory import Layers
from zerotoil.model.spec import VIRTIO_SERIAL_BYTES
from zerotoil.model.units import format_size

Found = tuple[FoundVm, FoundVolume]
_HOST_KEYS = (
    "vm_", "data_size", "data_volume", "data_serial", "iscsi_target", "iscsi_extent", "iscsi_lun"
)  # a host's own, even where all hosts say the same  # fmt: skip
_INITIATORS_UNKNOWN = (
    "not known: iscsi_initiators, without which nobody could log in; on the hypervisor: cat /etc/iscsi/initiatorname.iscsi"
)
_HEAD = '''"""The lab as `zerotoil adopt` found it. Nothing was changed yet.

Read every line, above all those that say "not known". Then run the plan, and the deploy when it says what you want.
docs/guides/adopt.md says what adopting does; every key is described in docs/reference/keys.md.
"""
'''


@dataclass(frozen=True)
class Asked:
    """What the person who runs `zerotoil adopt` said: how to reach the servers, and the lab's name."""

    lab: str
    nas_url: str
    nas_user: str
    nas_api_key: str  # "file:…" or "env:…", never the key
    hypervisor_uri: str
    nas_ca: str | None = None
    nas_fingerprint: str | None = None
    ssh_user: str | None = None  # who may log in to the guests; without one they are not read
    ssh_key: str | None = None


@dataclass(frozen=True)
class Key:
    """One line of the inventory. `why` is the comment above it, line by line; without a value it is only the comment."""

    value: Any = None
    why: str = ""


@dataclass
class Written:
    """Group data and each host's own."""

    shared: dict[str, Key] = field(default_factory=dict)
    hosts: dict[str, dict[str, Key]] = field(default_factory=dict)

    def layers(self, host: str) -> Layers:
        """The host's data as pyinfra would resolve it."""
        own = {name: key.value for name, key in self.hosts[host].items() if key.value is not None}
        shared = {name: key.value for name, key in self.shared.items() if key.value is not None}
        return [("host data", own), ("group 'all'", shared)]

    def remarks(self, host: str = "") -> list[str]:
        """What is said above a host's own lines, or above those that all share."""
        keys = self.hosts[host] if host else self.shared
        return [line for name, key in keys.items() if name != "vm_adopt" for line in key.why.splitlines()]

    def text(self) -> str:
        """The inventory file."""
        lines = [_HEAD, "adopted = ["]
        for host, keys in self.hosts.items():
            lines += ["    (", f'        "@vm/{host}",', "        {", *_lines(keys, 12), "        },", "    ),"]
        names = ", ".join(f'"@vm/{host}"' for host in self.hosts)
        lines += ["]", "", "all = (", f"    [{names}],", "    {", *_lines(self.shared, 8), "    },", ")"]
        return "\n".join(lines) + "\n"


def write(found: Sequence[Found], asked: Asked, guests: Mapping[str, FoundGuest | str] | None = None) -> Written:
    """The inventory of these VMs; `guests` holds what those that answered say, or why one did not."""
    guests = guests or {}
    keys = {vm.name: _host(vm, volume, found) | _guest(guests.get(vm.name)) for vm, volume in found}
    written = Written(_lab(found, asked))
    first = next(iter(keys.values()), {})
    same = [
        name for name, key in first.items()
        if not name.startswith(_HOST_KEYS) and all(other.get(name) == key for other in keys.values())
    ]  # fmt: skip
    written.shared |= {name: first[name] for name in same}
    written.shared |= {name: key for name, key in _guests(asked).items() if name not in written.shared}
    written.hosts = {host: {name: key for name, key in own.items() if name not in same} for host, own in keys.items()}
    return written


def _lab(found: Sequence[Found], asked: Asked) -> dict[str, Key]:
    above = [posixpath.dirname(volume.zvol) for _, volume in found]
    common = posixpath.commonpath(above) if above else ""
    return {
        "lab_name": Key(asked.lab),
        "nas_url": Key(asked.nas_url),
        "nas_user": Key(asked.nas_user),
        "nas_api_key": Key(asked.nas_api_key),
        **({"nas_ca": Key(asked.nas_ca)} if asked.nas_ca else {}),
        **({"nas_fingerprint": Key(asked.nas_fingerprint)} if asked.nas_fingerprint else {}),
        "nas_dataset": Key(common or (above[0] if above else "tank"), "not known: where new hosts get their datasets"),
        "hypervisor_uri": Key(asked.hypervisor_uri),
    }


def _host(vm: FoundVm, volume: FoundVolume, found: Sequence[Found]) -> dict[str, Key]:
    return {
        "vm_adopt": Key(True, "by this line you agree that zerotoil takes over this VM and its volume"),
        "vm_memory": Key(format_size(vm.memory), "\n".join([*vm.remarks, *volume.remarks])),
        "vm_cpus": Key(vm.cpus),
        "vm_nics": Key(vm.nics),
        **({"vm_usb": Key(vm.usb)} if vm.usb else {}),
        **({"vm_pci": Key(vm.pci)} if vm.pci else {}),
        "vm_firmware": Key(vm.firmware),
        "vm_autostart": Key(vm.autostart),
        "hypervisor_pool": Key(vm.os_pool or "default", "" if vm.os_pool else "not known: the pool for new OS disks"),
        "data_volume": Key(volume.zvol),
        "data_size": Key(format_size(volume.size)),
        "data_serial": _serial(vm, found),
        "data_attach": Key("network" if vm.lun.form == "network" else "block"),
        "data_filesystem": Key("ext4", "not known: what the guest mounts at /var/mnt/data (ext4 or xfs), and its label"),
        "data_label": Key("data"),
        **_snapshots(volume),
        **_iscsi(vm, volume),
    }  # fmt: skip


def _serial(vm: FoundVm, found: Sequence[Found]) -> Key:
    """The disk's own, where it can be a host's own; the adopted VM keeps what it has."""
    others = [other.serial for other, _ in found if other is not vm]
    if vm.serial and vm.serial not in others and len(vm.serial.encode()) <= VIRTIO_SERIAL_BYTES:
        return Key(vm.serial)
    has = f"the serial {vm.serial}, which is too long or not its own" if vm.serial else "no serial"
    return Key(vm.name[: VIRTIO_SERIAL_BYTES - 5] + "-data", f"the disk has {has}: it gets this one with its next OS")


def _snapshots(volume: FoundVolume) -> dict[str, Key]:
    task, defaults = volume.task, DataSpec.model_fields
    if task is None:
        return {
            "data_snapshot_schedule": Key(str(defaults["snapshot_schedule"].default)),
            "data_snapshot_keep": Key(str(defaults["snapshot_keep"].default)),
        }
    return {
        "data_snapshot_dataset": Key(task.dataset),
        "data_snapshot_schedule": Key(task.schedule),
        "data_snapshot_keep": Key(task.keep),
        "data_snapshot_naming": Key(task.naming),
    }


def _iscsi(vm: FoundVm, volume: FoundVolume) -> dict[str, Key]:
    why = "" if volume.initiators else _INITIATORS_UNKNOWN
    keys = {
        "iscsi_portal": Key(volume.portal),
        **({"iscsi_address": Key(vm.lun.address)} if vm.lun.address != volume.portal[0] else {}),
        "iscsi_port": Key(volume.port),
        "iscsi_initiators": Key(volume.initiators or None, why),
        **({"iscsi_group": Key(volume.group)} if volume.group else {}),
        "iscsi_target": Key(volume.target),
        **({"iscsi_extent": Key(volume.extent)} if volume.extent != volume.target else {}),
        "iscsi_lun": Key(vm.lun.lun),
    }
    if volume.chap_user:
        keys["iscsi_chap_tag"], keys["iscsi_chap_user"] = Key(volume.chap_tag), Key(volume.chap_user)
        keys["iscsi_chap_secret"] = _secret("chap-secret")
    if volume.chap_peer_user:
        keys["iscsi_chap_peer_user"], keys["iscsi_chap_peer_secret"] = Key(volume.chap_peer_user), _secret("chap-peer-secret")
    return keys


def _secret(name: str) -> Key:
    return Key(f"file:~/.config/zerotoil/{name}", "not known: put the secret there (mode 0600)")


def _guest(found: FoundGuest | str | None) -> dict[str, Key]:
    """What a guest said about itself, in its host's own lines."""
    if isinstance(found, str):
        return {
            "docker_enabled": Key(False, f"not known: the guest could not be read ({found})"),
            "watchtower_enabled": Key(False),
        }
    if found is None:
        return {}
    keys: dict[str, Key] = {}
    if found.filesystem:
        keys = {"data_filesystem": Key(found.filesystem.type), "data_label": Key(found.filesystem.label)}
    keys["docker_enabled"] = Key(found.docker, "\n".join(found.remarks))
    keys["watchtower_enabled"] = Key(found.watchtower is not None)
    return keys | {name: Key(value) for name, value in (found.watchtower or {}).items()}


def _guests(asked: Asked) -> dict[str, Key]:
    unread = "" if asked.ssh_user else "not known: who may log in, and with which key (the guests were not read)"
    public_key = f"file:{asked.ssh_key or '~/.ssh/id_ed25519'}.pub"
    return {
        "ssh_user": Key(asked.ssh_user or "core", unread),
        **({"ssh_key": Key(asked.ssh_key)} if asked.ssh_key else {}),
        "ssh_authorized_keys": Key([public_key], "" if unread else "not known: for the next OS of a VM"),
        "os_stream": Key("stable", "not known: used only when a VM gets a new OS"),
        "docker_enabled": Key(
            False, "not known: whether the guests run Docker and Watchtower (not read); True: zerotoil keeps them"
        ),
        "watchtower_enabled": Key(False),
    }


def _lines(keys: dict[str, Key], indent: int) -> list[str]:
    pad, lines = " " * indent, []
    for name, key in keys.items():
        lines += [f"{pad}# {line}" for line in key.why.splitlines()]
        if key.value is not None:
            lines.append(f'{pad}"{name}": {_python(key.value)},')
    return lines


def _python(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_python, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_python(name)}: {_python(item)}" for name, item in value.items()) + "}"
    return str(value) if isinstance(value, bool | int) else json.dumps(value, ensure_ascii=False)
