"""What is missing on this machine and on the servers of an inventory, and the command that fixes each.

Nothing here writes anything anywhere. A check never raises for what it looks for: it returns a `Check`.
"""

from zerotoil.doctor.check import Check, State
from zerotoil.doctor.examine import examine

__all__ = ["Check", "State", "examine"]
