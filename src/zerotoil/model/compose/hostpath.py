"""Where on the host a mount's source is, and what may be done to it. Pure.

Fedora CoreOS has /mnt, /home and others as links into /var; a path is compared as what it leads to.
"""

from __future__ import annotations

import posixpath
import re
from enum import Enum

from zerotoil.model.places import DATA, TREE, app_folder

APPS = f"{DATA}/apps"
_LINKS = {
    "/mnt": "/var/mnt",
    "/home": "/var/home",
    "/root": "/var/roothome",
    "/opt": "/var/opt",
    "/srv": "/var/srv",
    "/usr/local": "/var/usrlocal",
    "/var/run": "/run",
    "/bin": "/usr/bin",
    "/sbin": "/usr/sbin",
    "/lib": "/usr/lib",
    "/lib64": "/usr/lib64",
}
_SOCKETS = re.compile(r"/run(?:/(?:docker|podman|containerd|user(?:/\d+(?:/podman)?)?)(?:/[^/]*\.sock)?|/docker\.sock)?")
_OURS = (TREE, f"{DATA}/.zerotoil", APPS)


class Where(Enum):
    """What kind of place a path is."""

    OWN = "in the app's folder"
    DATA = "on the data disk"
    VOLUME = "on a volume of the host"
    SOCKET = "the container engine's socket"
    ROOT = "the host's whole filesystem"
    ETC = "among the host's settings"
    SYSTEM = "a part of the host's system"

    @property
    def labelled(self) -> bool:
        """Whether it is data, which a container reads only with its SELinux label; the rest is the host's own."""
        return self in (Where.OWN, Where.DATA, Where.VOLUME)


def absolute(app: str, source: str) -> str:
    """A source as Compose would resolve it, and as the host's links lead on."""
    if source == "~" or source.startswith("~/"):
        source = f"/root{source[1:]}"
    path = posixpath.normpath(posixpath.join(app_folder(app), source))
    path = path if not path.startswith("//") else path[1:]
    for link, target in _LINKS.items():
        if within(path, link):
            return target + path.removeprefix(link)
    return path


def where(app: str, path: str) -> Where:
    """What kind of place an absolute path is."""
    if within(path, app_folder(app)):
        return Where.OWN
    if path in ("/", "/sysroot"):
        return Where.ROOT
    if within(path, "/etc"):
        return Where.ETC
    if _SOCKETS.fullmatch(path):
        return Where.SOCKET
    others = within(path, APPS) and path != APPS
    if within(path, DATA) and path != DATA and (others or not any(within(path, own) for own in _OURS)):
        return Where.DATA
    return Where.SYSTEM


def within(path: str, above: str) -> bool:
    """Whether a path is another one, or lies below it."""
    return path == above or path.startswith(above.rstrip("/") + "/")


def overlap(one: str, other: str) -> bool:
    """Whether one of two paths holds the other."""
    return within(one, other) or within(other, one)
