"""A TrueNAS API simulator over TLS: the published schemas, the server's refusals, real or pretend storage and iSCSI.

It shares no code with zerotoil.clients. `Simulator` (simulator.py) is the way in; `python -m zerotoil.minilab.nas
CONFIG.json` runs one as a daemon. Nothing here deletes or shrinks a volume except pool.dataset.delete.
"""

from zerotoil.minilab.nas.faults import Faults
from zerotoil.minilab.nas.memory import MemoryStorage
from zerotoil.minilab.nas.simulator import Simulator
from zerotoil.minilab.nas.targets import NoTargets

__all__ = ["Faults", "MemoryStorage", "NoTargets", "Simulator"]
