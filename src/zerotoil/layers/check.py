"""What can be known to be wrong without a lab in reach: Butane, domain and pool XML, systemd units, apps. Reads only files.

Each artefact is held against its real validator: Butane --strict and ignition-validate, libvirt's own schemas and
`systemd-analyze verify`, the last two where they are installed here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from lxml import etree

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers import project
from zerotoil.layers.check_units import bad_units
from zerotoil.layers.site import Site
from zerotoil.model.inventory import Problem
from zerotoil.model.spec import keys
from zerotoil.render.domain import Provisioned, render_domain
from zerotoil.render.domain_storage import render_iscsi_pool
from zerotoil.resources.guest.notify import unreadable
from zerotoil.resources.hypervisor.observe import fragment_text

_SCHEMAS = Path("/usr/share/libvirt/schemas")
_IQN = "iqn.2005-10.org.freenas.ctl:offline"  # the NAS's own base name is not known here
_MADE = Provisioned("qemu", "offline.qcow2", "/offline.ign", "0" * 64, "offline", 1)


def check(sites: list[Site]) -> list[Problem]:
    """Every problem of every host."""
    found = [_problem(site.spec.name, what, said, code) for site in sites for what, said, code in _of_host(site)]
    apps = [_of_app(site.spec.name, error) for site in sites for error in site.app_problems(offline=True)]
    manifests = [_of_cluster(site.spec.name, error) for site in sites for error in site.cluster_problems(offline=True)]
    return found + apps + manifests + bad_units(sites)


def _of_app(host: str, error: LabError) -> Problem:
    return Problem(host, "apps", "", str(error).removeprefix(f"{host}: apps: "), error.code)


def _of_cluster(host: str, error: LabError) -> Problem:
    return Problem(host, "cluster", "", str(error), error.code)


def _problem(host: str, what: str, said: str, code: Code) -> Problem:
    """What was said, under the key it begins with ("os_butane nosuch.bu …"); else under the name of the check."""
    word, _, rest = said.partition(" ")
    key = word.rstrip(":")
    return Problem(host, key, "", rest, code) if key in keys() else Problem(host, what, "", said, code)


def _of_host(site: Site) -> Iterator[tuple[str, str, Code]]:
    spec = site.spec
    checks: list[tuple[str, Callable[[], object]]] = [
        ("os_butane" if spec.os.butane else "Butane", lambda: site.ignition),
        (
            "vm_xml" if spec.vm.xml else "domain",
            lambda: _validate("domain.rng", render_domain(spec, _MADE, iqn=_IQN, fragment=fragment_text(spec)), "vm_xml"),
        ),
    ]
    if spec.os.signature_key:
        checks.append(("os_signature_key", lambda: project.signature_key(spec, site.root)))
    if spec.data.attach == "block":
        checks.append(("iSCSI pool", lambda: _validate("storagepool.rng", render_iscsi_pool(spec, _IQN), "iscsi_…")))
    for what, run in checks:
        try:
            run()
        except LabError as error:
            yield what, str(error).removeprefix(f"{spec.name}: "), error.code
    for wrong in unreadable(spec):
        yield "notify_sinks", str(wrong), wrong.code


@cache
def _schema(name: str) -> etree.RelaxNG | None:
    path = _SCHEMAS / name
    return etree.RelaxNG(etree.parse(str(path))) if path.exists() else None


def _validate(name: str, xml: str, key: str) -> None:
    """Raise LabError where libvirt's schema, if it is installed here, refuses the XML."""
    schema = _schema(name)
    if schema is None or schema.validate(etree.fromstring(xml.encode())):
        return
    said = sorted({error.message for error in schema.error_log})
    raise LabError(
        f"libvirt's schema refuses it ({'; '.join(said[:3])})",
        f"mend {key}; https://libvirt.org/format.html",
        code=Code.VM_XML_WRONG,
    )
