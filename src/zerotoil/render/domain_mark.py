"""Our mark in a VM's definition: whose it is, what it was made with, which OS disks it can go back to. Pure.

It is the only memory of a change of OS disks. libvirt replaces a definition whole or not at all, so the mark and the disk
that it speaks of never part.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from lxml import etree

URI = "urn:zerotoil:domain:1"
MARK = f"{{{URI}}}host"
ADOPTED = 0  # the generation of an OS that somebody else installed


@dataclass(frozen=True)
class Made:
    """An OS disk by its generation, and what it was made with."""

    generation: int
    ignition_sha256: str = ""
    os_release: str = ""

    def __str__(self) -> str:
        return f"OS disk {self.generation} ({self.os_release})" if self.generation else "the adopted OS"

    def element(self, tag: str) -> etree._Element:
        """As XML."""
        return _element(tag, generation=str(self.generation), ignition=self.ignition_sha256, os=self.os_release)

    @classmethod
    def of(cls, element: etree._Element) -> Made:
        """From XML."""
        return cls(int(element.get("generation", "0")), element.get("ignition", ""), element.get("os", ""))


@dataclass(frozen=True)
class Move:
    """A change of OS disks that is not done. `up`: what was healthy before, as APP/SERVICE; `back`: why it is undone.

    `blind`: the guest was not seen healthy before, so there is nothing good to go back to. `came_up`: the new OS had the
    data disk mounted, so its plug is never pulled by itself. `rebuild`: a new OS disk was asked for, not another OS.
    """

    origin: Made
    to: Made
    up: frozenset[str] = frozenset()
    snapshot: str = ""
    back: str = ""
    blind: bool = False
    came_up: bool = False
    rebuild: bool = False

    def element(self) -> etree._Element:
        """As XML."""
        move = _element("move", up=",".join(sorted(self.up)), snapshot=self.snapshot, back=self.back)
        for name, is_so in (("blind", self.blind), ("came-up", self.came_up), ("rebuild", self.rebuild)):
            if is_so:
                move.set(name, "yes")
        move.extend([self.origin.element("origin"), self.to.element("to")])
        return move

    @classmethod
    def of(cls, element: etree._Element) -> Move:
        """From XML."""
        ends = {str(etree.QName(end).localname): Made.of(end) for end in element}
        up = frozenset(name for name in element.get("up", "").split(",") if name)
        texts = (element.get("snapshot", ""), element.get("back", ""))
        blind, came_up, rebuild = (element.get(name) == "yes" for name in ("blind", "came-up", "rebuild"))
        return cls(ends["origin"], ends["to"], up, *texts, blind, came_up, rebuild)


@dataclass(frozen=True)
class Mark:
    """Our metadata element: whose VM it is, what it was made with, and which devices are ours to take away.

    `former` is the whole definition of an adopted VM that has an OS of ours now. It is kept here and not as a file in the
    pool: so it is written in the same moment as the definition that takes its place, and no clean-up can lose it.
    """

    owner: str
    generation: int
    ignition_sha256: str
    os_release: str
    booted: bool = False
    devices: frozenset[str] = frozenset()  # "card 52:54:…", "disk SERIAL", "usb 10c4:ea60", "pci …"
    fragment: str = ""  # vm_xml as it was merged, in canonical form
    adopted: bool = False
    former: str = ""
    earlier: tuple[Made, ...] = ()  # OS disks that ran healthy before this one
    move: Move | None = None

    @property
    def made(self) -> Made:
        """The OS disk that it is defined with."""
        return Made(self.generation, self.ignition_sha256, self.os_release)

    @property
    def keeps_disk(self) -> bool:
        """Does the data disk keep the form and the login that somebody else gave it?"""
        return self.adopted or bool(self.former)

    def with_os(self, made: Made, *, booted: bool) -> Mark:
        """The same VM with another OS disk."""
        new = replace(self, generation=made.generation, ignition_sha256=made.ignition_sha256, os_release=made.os_release)
        return replace(new, booted=booted)

    def as_booted(self) -> Mark:
        """The same, after the first start."""
        return replace(self, booted=True)

    def element(self) -> etree._Element:
        """As XML, in our namespace."""
        mark = etree.Element(
            MARK,
            nsmap={"zerotoil": URI},
            owner=self.owner,
            generation=str(self.generation),
            ignition=self.ignition_sha256,
            os=self.os_release,
            booted="yes" if self.booted else "no",
            devices=",".join(sorted(self.devices)),
        )
        if self.adopted:
            mark.set("adopted", "yes")
        for tag, text in (("fragment", self.fragment), ("former", self.former)):
            if text:
                etree.SubElement(mark, f"{{{URI}}}{tag}").text = text
        mark.extend(made.element("earlier") for made in self.earlier)
        if self.move:
            mark.append(self.move.element())
        return mark


def read_mark(domain: etree._Element) -> Mark | None:
    """The mark of a domain; None: it is not ours."""
    mark = domain.find(f"metadata/{MARK}")
    if mark is None:
        return None
    listed, move = mark.get("devices", ""), mark.find(f"{{{URI}}}move")
    return Mark(
        owner=mark.get("owner", ""),
        generation=int(mark.get("generation", "1")),
        ignition_sha256=mark.get("ignition", ""),
        os_release=mark.get("os", ""),
        booted=mark.get("booted") == "yes",
        devices=frozenset(listed.split(",")) if listed else frozenset(),
        fragment=mark.findtext(f"{{{URI}}}fragment", ""),
        adopted=mark.get("adopted") == "yes",
        former=mark.findtext(f"{{{URI}}}former", ""),
        earlier=tuple(Made.of(made) for made in mark.findall(f"{{{URI}}}earlier")),
        move=Move.of(move) if move is not None else None,
    )


def replace_mark(tree: etree._Element, mark: Mark) -> None:
    """Put another mark into a definition."""
    old = tree.find(f"metadata/{MARK}")
    if old is not None:
        tree.find("metadata").replace(old, mark.element())  # type: ignore[union-attr]


def _element(tag: str, **attributes: str) -> etree._Element:
    return etree.Element(f"{{{URI}}}{tag}", {name: value for name, value in attributes.items() if value})
