"""The apps of a host as they are declared: which ones, what their templates are filled with, how they are updated."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field, field_validator

from zerotoil.model.secret import Secret
from zerotoil.model.section import Section
from zerotoil.model.units import Seconds

Updates = Literal["auto", "notify", "off", "auto+revert"]
APP_NAME = r"[a-z0-9][a-z0-9-]{0,39}"


class ContainerSpec(Section):
    """What runs the containers."""

    backend: Literal["docker", "podman"] = Field(
        "docker", description="docker: Compose, kept fresh by Watchtower; podman: quadlets, kept fresh by podman itself"
    )


class AppsSpec(Section):
    """The apps a host runs: folders of the project's `apps/`, each with a compose.yaml."""

    run: list[str] = Field([], description="Apps of the host: names of folders in apps/ (short: apps)")
    values: dict[str, dict[str, Any]] = Field(
        {}, description='What templates are filled with, by app: {"atuin": {"db_password": "file:PATH"}}'
    )
    updates: Updates = Field(
        "auto", description="auto | notify (only tell) | off | auto+revert (put an image back that turned a health check red)"
    )
    reconcile: Seconds = Field(
        3600, description="How long after Watchtower's hour declared is compared with running, and what is missing brought back"
    )

    @field_validator("run")
    @classmethod
    def _names(cls, names: list[str]) -> list[str]:
        for name in names:
            if not re.fullmatch(APP_NAME, name):
                raise ValueError(f"{name!r} is not the name of an app; use a-z, 0-9 and '-', at most 40, for instance atuin")
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"{twice} stands in it twice; name each app once")
        return names

    @field_validator("values")
    @classmethod
    def _secrets(cls, values: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """What is written "file:…" or "env:…" is a secret, as everywhere in the inventory."""
        return {app: {name: _value(app, name, value) for name, value in given.items()} for app, given in values.items()}


def _value(app: str, name: str, value: Any) -> Any:
    if not re.fullmatch(r"[a-z_][a-z0-9_]*", name):
        raise ValueError(f"{app}: {name!r} is not a name for a template; use a-z, 0-9 and '_', for instance db_password")
    if isinstance(value, str) and value.partition(":")[0] in ("file", "env"):
        return Secret.parse(value)
    if not isinstance(value, str | int | bool | Secret):
        raise ValueError(f"{app}: {name} is a {type(value).__name__}; write text, a number, True or False, or file:PATH")
    return value
