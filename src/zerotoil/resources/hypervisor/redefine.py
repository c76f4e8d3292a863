"""Changing a VM's definition in place: everything that is not edited stays, a VNC password too."""

from __future__ import annotations

from collections.abc import Callable

from lxml import etree

from zerotoil.clients.hypervisor import Hypervisor
from zerotoil.render.domain_mark import Mark, replace_mark


def redefine(hypervisor: Hypervisor, name: str, edit: Callable[[etree._Element], object]) -> None:
    """Read the definition with its secrets, let `edit` change it, and define it anew."""
    domain = etree.fromstring(hypervisor.definition(name).encode())
    edit(domain)
    hypervisor.define(name, etree.tostring(domain, encoding="unicode"))


def as_never_booted(
    hypervisor: Hypervisor, name: str, mark: Mark, edit: Callable[[etree._Element], object] = lambda _domain: None
) -> None:
    """Define the VM with a mark that says it never booted. It must not start without the guard: autostart goes first."""

    def both(domain: etree._Element) -> None:
        edit(domain)
        replace_mark(domain, mark)

    if hypervisor.domains()[name].autostart:
        hypervisor.set_autostart(name, False)
    redefine(hypervisor, name, both)
