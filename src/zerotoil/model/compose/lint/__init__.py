"""The rules for an app's files beyond what Compose asks for. Pure.

Each rule is a function from an app to findings. What the owner has a reason for (x-zerotoil.allow) is left out here, so that
a rule never has to know of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from zerotoil.model.compose.app import App
from zerotoil.model.compose.findings import Finding, ordered
from zerotoil.model.compose.lint.images import images
from zerotoil.model.compose.lint.mounts import host_paths
from zerotoil.model.compose.lint.references import references
from zerotoil.model.compose.lint.secrets import secrets
from zerotoil.model.compose.lint.selinux import selinux
from zerotoil.model.compose.lint.structure import structure

RULES: tuple[Callable[[App], Iterator[Finding]], ...] = (structure, references, images, host_paths, selinux, secrets)


def lint(app: App) -> list[Finding]:
    """Everything that the rules have against an app."""
    return ordered(finding for rule in RULES for finding in rule(app) if finding.rule not in app.policy.allow)
