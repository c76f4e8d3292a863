"""libvirt, by URI: the only code that talks to a hypervisor. See `connection.Hypervisor`."""

from zerotoil.clients.hypervisor.connection import DomainState, Hypervisor
from zerotoil.clients.hypervisor.errors import HypervisorError
from zerotoil.clients.hypervisor.storage import Storage, Volume

__all__ = ["DomainState", "Hypervisor", "HypervisorError", "Storage", "Volume"]
