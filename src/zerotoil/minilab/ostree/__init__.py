"""The stand-in guest whose root is a real ostree deployment: the same Debian as the plain one, laid out as Fedora CoreOS is.

/usr is read-only, /etc is merged at each update, /var is kept, and two deployments stand side by side. /usr/bin/rpm-ostree
in it is a stand-in (it says so). No SELinux, no UEFI. /etc/os-release says IMAGE_ID=zerotoil-standin-ostree.
"""

from __future__ import annotations

from zerotoil.minilab.ostree.build import RELEASE, Built, build, packages
from zerotoil.minilab.ostree.images import BASE, push, push_base

STREAM = "ostree"  # its name on the lab's mirror: os_stream = "ostree"

__all__ = ["BASE", "RELEASE", "STREAM", "Built", "build", "packages", "push", "push_base"]
