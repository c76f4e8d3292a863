"""Networks and named volumes of an app as .network and .volume units, and how a service joins its networks. Pure.

Source: podman-systemd.unit(5); Compose specification, "Networks", "Volumes". Names are Compose's own: NAME_default, NAME_VOLUME.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from zerotoil.render.quadlet import reading
from zerotoil.render.quadlet.app import App, Service
from zerotoil.render.quadlet.text import Line, Refused, whole, words

_NETWORK = {"name", "external", "driver", "driver_opts", "ipam", "internal", "enable_ipv6", "enable_ipv4", "labels"}
_VOLUME = {"name", "external", "driver", "driver_opts", "labels"}
_IPAM = {"subnet": "Subnet", "gateway": "Gateway", "ip_range": "IPRange"}
_LEAVE_OUT = "leave it out"


def network_file(app: App, name: str) -> str:
    """The unit of a network."""
    return f"{app.name}.network" if name == "default" else f"{app.name}-{name}.network"


def volume_file(app: App, name: str) -> str:
    """The unit of a named volume."""
    return f"{app.name}-{name}.volume"


def joined(service: Service) -> Mapping[str, Any]:
    """The networks that a service joins: name -> its options."""
    given = service.spec.get("networks")
    if service.network_mode:
        return {}
    if not given:
        return {"default": None}
    return {name: None for name in reading.texts(given)} if isinstance(given, list) else reading.mapping(given)


def network_lines(service: Service) -> Iterator[Line]:
    """How the service is reached, and reaches others."""
    if service.network_mode:
        yield Line("Container", "Network", whole(_mode(service)))
        return
    for name, options in joined(service).items():
        yield Line("Container", "Network", whole(f"{_network(service.app, name)}:{','.join(_options(service, name, options))}"))


def _mode(service: Service) -> str:
    mode = service.network_mode
    if mode in ("host", "none"):
        return mode
    kind, _, other = mode.partition(":")
    if kind == "service" and other in service.app.services:
        return f"{service.app.services[other].unit}.container"
    raise Refused(f"{mode!r} cannot be expressed", "write host, none or service:NAME, or leave it out for the app's own network")


def _network(app: App, name: str) -> str:
    spec = _network_spec(app, name)
    return _external(spec, name) or network_file(app, name)


def _network_spec(app: App, name: str) -> Mapping[str, Any]:
    if name == "default":  # exists without being declared
        return reading.mapping(app.section("networks").get("default"))
    return app.declared("networks", name)


def _options(service: Service, name: str, options: Any) -> list[str]:
    given = reading.mapping(options)
    reading.only(given, {"aliases", "ipv4_address", "ipv6_address", "mac_address"}, _LEAVE_OUT)
    # Not NetworkAlias=: podman 5.4 lets it replace the aliases of each network (cmd/podman/common/netflags.go).
    made = [f"alias={service.name}"]
    made += [f"alias={alias}" for alias in reading.texts(given.get("aliases") or []) if alias != service.name]
    made += [f"ip={reading.text(given[key])}" for key in ("ipv4_address", "ipv6_address") if given.get(key)]
    made += [f"mac={reading.text(given['mac_address'])}"] if given.get("mac_address") else []
    if any("," in option for option in made):
        raise reading.wrong(f"network {name}: a comma in an alias or address", "write it without")
    return made


def _external(spec: Mapping[str, Any], name: str) -> str:
    """The real name of something that is made elsewhere; empty when it is the app's own."""
    return reading.text(spec.get("name") or name) if reading.truth(spec.get("external") or False) else ""


def network_unit(app: App, name: str) -> list[Line]:
    """The unit of one network; empty when somebody else makes it."""
    spec = _network_spec(app, name)
    reading.only(spec, _NETWORK, _LEAVE_OUT)
    if _external(spec, name):
        return []
    if not reading.truth(spec.get("enable_ipv4", True)):
        raise Refused("podman's networks always have IPv4", "leave enable_ipv4 out")
    lines = [Line("Network", "NetworkName", whole(reading.text(spec.get("name") or f"{app.name}_{name}")))]
    if spec.get("driver"):
        lines.append(Line("Network", "Driver", whole(reading.text(spec["driver"]))))
    for key, ours in (("internal", "Internal"), ("enable_ipv6", "IPv6")):
        if reading.truth(spec.get(key) or False):
            lines.append(Line("Network", ours, "true"))
    return [*lines, *_addresses(spec), *_extra("Network", app, spec)]


def _addresses(spec: Mapping[str, Any]) -> Iterator[Line]:
    ipam = reading.mapping(spec.get("ipam"))
    reading.only(ipam, {"driver", "config"}, _LEAVE_OUT)
    if ipam.get("driver") not in (None, "default"):
        raise Refused(f"the ipam driver {ipam['driver']} is not one of podman's", _LEAVE_OUT)
    for subnet in ipam.get("config") or []:
        reading.only(reading.mapping(subnet), set(_IPAM), _LEAVE_OUT)
        if "subnet" not in subnet:
            raise reading.wrong("a gateway or range without its subnet", "name the subnet too")
        for key, ours in _IPAM.items():
            if key in subnet:
                yield Line("Network", ours, whole(reading.text(subnet[key])))


def volume_source(app: App, name: str) -> str:
    """What a Volume= line names: our unit, or the volume that somebody else makes."""
    return _external(app.declared("volumes", name), name) or volume_file(app, name)


def volume_unit(app: App, name: str) -> list[Line]:
    """The unit of one named volume; empty when somebody else makes it."""
    spec = app.declared("volumes", name)
    reading.only(spec, _VOLUME, _LEAVE_OUT)
    if _external(spec, name):
        return []
    options = reading.pairs(reading.mapping(spec.get("driver_opts")))
    if spec.get("driver") not in (None, "local") or set(options) - {"type", "o", "device"}:
        raise Refused("only the driver local with type, o and device is known to podman", "mount it in the guest, and bind it")
    lines = [Line("Volume", "VolumeName", whole(reading.text(spec.get("name") or f"{app.name}_{name}")))]
    for key, ours in (("device", "Device"), ("type", "Type"), ("o", "Options")):
        if options.get(key):
            lines.append(Line("Volume", ours, whole(options[key] or "")))
    return [*lines, *_labels("Volume", app, spec)]


def _extra(section: str, app: App, spec: Mapping[str, Any]) -> Iterator[Line]:
    for name, value in reading.pairs(reading.mapping(spec.get("driver_opts"))).items():
        yield Line(section, "Options", words([f"{name}={value or ''}"]))
    yield from _labels(section, app, spec)


def _labels(section: str, app: App, spec: Mapping[str, Any]) -> Iterator[Line]:
    own = [f"{name}={value or ''}" for name, value in reading.pairs(spec.get("labels") or {}).items()]
    for label in [*own, *app.labels()]:
        yield Line(section, "Label", words([label]))
