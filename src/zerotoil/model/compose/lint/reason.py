"""How a finding says that the owner may have a reason. Pure."""

from __future__ import annotations

from zerotoil.model.compose.settings import ALLOWABLE


def unless(rule: str) -> str:
    """The end of a message about something that is allowed with a reason."""
    assert rule in ALLOWABLE
    return f'; where it has to be, say why: x-zerotoil: {{allow: {{{rule}: "…"}}}}'
