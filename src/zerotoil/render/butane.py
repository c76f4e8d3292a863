"""The Butane config of one host: our template, then the owner's fragments merged in.

Pure: template texts and fragments are given. Source of the rules: fedora-coreos docs (storage, systemd), Ignition
operator notes (what `wipe_filesystem: false` does and does not protect).
"""

from __future__ import annotations

import ipaddress
import json
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import jinja2
import yaml

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.spec import HostSpec
from zerotoil.model.volumes import Volume, further, volumes

# The safe loader and dumper in C where PyYAML has them: ten times as fast, with the same result.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
TEMPLATES = ("host.bu.j2", "host-keys.sh", "nic.nmconnection.j2")


@dataclass(frozen=True)
class Fragment:
    """One Butane fragment of the owner: where it is from (for messages) and its text."""

    source: str
    text: str


def render_butane(
    spec: HostSpec, templates: Mapping[str, str], authorized_keys: Sequence[str], fragments: Sequence[Fragment]
) -> str:
    """Butane (variant fcos) of the host as YAML. Raises LabError for a fragment that is no Butane or endangers data."""
    text = _template(templates["host.bu.j2"]).render(
        spec=spec,
        authorized_keys=list(authorized_keys),
        host_keys_script=templates["host-keys.sh"],
        data_device=data_device(spec),
        device_unit=escape_unit(data_device(spec).removeprefix("/")),
        more=[_volume(volume) for volume in further(spec)],
        waiting=_waiting(spec),
        static_nics=[
            {"index": index, "keyfile": _keyfile(templates["nic.nmconnection.j2"], spec, index)}
            for index, nic in enumerate(spec.vm.nics)
            if nic.is_static
        ],
    )
    if not fragments:
        return text
    config = yaml.load(text, Loader=_Loader)
    for fragment in fragments:
        _merge(config, _checked(spec, fragment), fragment.source)
    return yaml.dump(config, Dumper=_Dumper, sort_keys=False, width=1000)


def _waiting(spec: HostSpec) -> list[str]:
    """The units beside Docker's that start containers, and so wait for volumes that are declared beside the data."""
    if spec.k3s.role:
        return ["k3s.service" if spec.k3s.role == "server" else "k3s-agent.service"]
    return ["zerotoil-podman.service"] if spec.container.backend == "podman" else []


@cache
def _template(text: str) -> jinja2.Template:
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)
    environment.filters["json"] = json.dumps
    return environment.from_string(text)


def data_device(spec: HostSpec) -> str:
    """The device of the data filesystem in the guest: the whole disk by its serial, or a partition made by hand.

    A filesystem on the whole disk is never declared where there is a partition table: Ignition would take it for empty.
    """
    label = spec.data.partlabel
    return f"/dev/disk/by-partlabel/{label}" if label else f"/dev/disk/by-id/virtio-{spec.data.serial}"


def _volume(volume: Volume) -> dict[str, Any]:
    """What the template says of a volume beside the data."""
    device, data = data_device(volume.spec), volume.spec.data
    units = {"unit": escape_unit(volume.mount.removeprefix("/")), "device_unit": escape_unit(device.removeprefix("/"))}
    about = {"name": volume.name, "device": device, "mount": volume.mount}
    return about | units | {"filesystem": data.filesystem, "label": data.label}


def escape_unit(path: str) -> str:
    """A path as systemd writes it in a unit's name (systemd-escape --path)."""
    escaped = "".join(c if c.isalnum() or c in "_.:/" else f"\\x{ord(c):02x}" for c in path)
    return escaped.replace("/", "-")


def _keyfile(template: str, spec: HostSpec, index: int) -> str:
    nic = spec.vm.nics[index]
    family = f"ipv{ipaddress.ip_interface(nic.address or '').version}"
    return _template(template).render(nic=nic, index=index, mac=spec.mac(index), family=family) + "\n"


_IDENTITY = {"users": "name", "groups": "name", "files": "path", "directories": "path", "links": "path", "units": "name"}
_ALLOWED = {
    "variant": None,
    "version": None,
    "passwd": ("users", "groups"),
    "storage": ("files", "directories", "links"),
    "systemd": ("units",),
    "kernel_arguments": ("should_exist", "should_not_exist"),
}  # no disks, filesystems, raid, luks, boot_device, ignition.config.replace: they could reach the data disk or undo ours


def _checked(spec: HostSpec, fragment: Fragment) -> dict[str, Any]:
    """The fragment as a mapping, refused where it is no Butane or could endanger the data disk."""
    config = _parsed(spec, fragment)
    for section, content in config.items():
        allowed = _ALLOWED.get(section, ())
        refused = [section] if allowed == () else sorted(set(map(str, content or {})) - set(allowed)) if allowed else []
        if refused:
            names = ", ".join(refused if allowed == () else [f"{section}.{name}" for name in refused])
            raise LabError(
                f"{spec.name}: os_butane {fragment.source} may not declare {names}",
                "disks and filesystems are zerotoil's",
                code=Code.FRAGMENT_FORBIDDEN,
            )
    _check_items(spec, fragment.source, config)
    for kind in ("files", "directories", "links"):
        for item in (config.get("storage") or {}).get(kind) or []:
            path = posixpath.normpath(str(item.get("path", "")))
            if path.startswith(("/var/mnt/data", "/mnt", *(volume.mount for volume in volumes(spec)))):
                remedy = "data comes from apps and people; a file there would make Ignition fail at the next rebuild"
                raise LabError(
                    f"{spec.name}: os_butane {fragment.source} writes {path} on the data disk",
                    remedy,
                    code=Code.FRAGMENT_FORBIDDEN,
                )
    if config.get("variant", "fcos") != "fcos":
        raise LabError(
            f"{spec.name}: os_butane {fragment.source} is of variant {config['variant']}",
            "write variant: fcos",
            code=Code.FRAGMENT_MALFORMED,
        )
    return config


def _parsed(spec: HostSpec, fragment: Fragment) -> dict[str, Any]:
    """The fragment's sections, each a mapping."""
    try:
        config = yaml.safe_load(fragment.text)
    except yaml.YAMLError as error:
        said = str(getattr(error, "problem", None) or "it cannot be read")
        mark = getattr(error, "problem_mark", None)
        place = f" at line {mark.line + 1}" if mark else ""
        raise LabError(
            f"{spec.name}: os_butane {fragment.source} is no YAML{place} ({said})",
            "mend the fragment",
            code=Code.FRAGMENT_MALFORMED,
        ) from error
    if not isinstance(config, dict):
        raise LabError(
            f"{spec.name}: os_butane {fragment.source} is no Butane config",
            "write sections such as storage:, systemd:",
            code=Code.FRAGMENT_MALFORMED,
        )
    for section in ("passwd", "storage", "systemd", "kernel_arguments"):
        if not isinstance(config.get(section) or {}, dict):
            example = f"{section}: {{{_ALLOWED[section][0]}: […]}}"  # type: ignore[index]
            raise LabError(
                f"{spec.name}: os_butane {fragment.source}: {section} is no mapping",
                f"write {example}",
                code=Code.FRAGMENT_MALFORMED,
            )
    return config


def _check_items(spec: HostSpec, source: str, config: Mapping[str, Any]) -> None:
    """Refuse what is no list of items, before anything reads it as one."""
    for section, kinds in _ALLOWED.items():
        for kind in kinds or ():
            items, identity = (config.get(section) or {}).get(kind) or [], _IDENTITY.get(kind)
            where = f"{spec.name}: os_butane {source}: {section}.{kind}"
            if not isinstance(items, list):
                raise LabError(f"{where} is no list", "begin each item with a dash", code=Code.FRAGMENT_MALFORMED)
            for index, item in enumerate(items):
                if identity and not (isinstance(item, dict) and item.get(identity)):
                    raise LabError(f"{where}[{index}] has no {identity}", f"write {identity}: …", code=Code.FRAGMENT_MALFORMED)


def _merge(config: dict[str, Any], fragment: dict[str, Any], source: str) -> None:
    """Add the fragment's lists to ours, item by item; an item of the same name may only add fields we have not set."""
    for section, content in fragment.items():
        if section in ("variant", "version"):
            continue
        for kind, items in (content or {}).items():
            ours = config.setdefault(section, {}).setdefault(kind, [])
            for item in items or []:
                _merge_item(ours, item, _IDENTITY.get(kind), f"{source}: {section}.{kind}")


def _merge_item(ours: list[Any], item: Any, identity: str | None, where: str) -> None:
    if identity is None:
        if item not in ours:
            ours.append(item)
        return
    same = next((own for own in ours if own.get(identity) == item.get(identity)), None)
    if same is None:
        ours.append(item)
        return
    for field, value in item.items():
        if isinstance(value, list) and isinstance(same.get(field, []), list):
            same[field] = same.get(field, []) + [entry for entry in value if entry not in same.get(field, [])]
        elif same.get(field, value) != value:
            raise LabError(
                f"os_butane {where} {item[identity]} would replace {field}, which is zerotoil's",
                "use another name or a drop-in",
                code=Code.FRAGMENT_FORBIDDEN,
            )
        else:
            same[field] = value
