"""What a compose file says to zerotoil: `x-zerotoil`, and the label of one service. Pure."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, ValidationError, field_validator

from zerotoil.model import wording
from zerotoil.model.compose.source import Place
from zerotoil.model.section import Section, Wrong
from zerotoil.model.units import Lifetime

KEY = "x-zerotoil"
UPDATES_LABEL = "zerotoil.updates"
Updates = Literal["auto", "notify", "off", "auto+revert"]
UPDATES: tuple[str, ...] = get_args(Updates)

ALLOWABLE = {
    "docker-socket": "mounts the socket of Docker or podman: whoever has it is root on the host",
    "host-root": "mounts the host's whole filesystem",
    "etc": "mounts settings of the host, from /etc",
    "outside": "mounts a folder of the host outside the app's own",
    "secret": "has a secret in a compose file, an .env or an environment",
    "no-registry": "has an image without its registry",
}
_PART = r"(?:\d+|[xX*])"
_RANGE = re.compile(rf"(?:[~^]|[<>]=?|=)?v?{_PART}(?:\.{_PART}){{0,2}}(?:-[0-9A-Za-z.-]+)?")


def _age(text: Any) -> Lifetime:
    age = Lifetime.parse(text)
    if age.unit not in ("hour", "day", "week"):
        raise ValueError(f'{text!r}: an image\'s age is in hours, days or weeks; write for instance "3 days"')
    return age


class AppSettings(Section):
    """The mapping `x-zerotoil` of a compose file."""

    updates: Updates | None = Field(None, description="Whether newer images are taken; default: the host's apps_updates")
    min_age: Annotated[Lifetime, BeforeValidator(_age)] | None = Field(
        None, description="Minimum age of an image; default: watchtower_cooldown"
    )
    allow: dict[str, str] = Field({}, description="What a rule would refuse: its id, and why this app needs it")
    tags: dict[str, str] = Field({}, description="Service: the versions that may be proposed, for instance ~1.4 or >=2 <4")

    @field_validator("allow")
    @classmethod
    def _with_a_reason(cls, allow: dict[str, str]) -> dict[str, str]:
        for rule, reason in allow.items():
            if rule not in ALLOWABLE:
                meant = wording.near(rule, ALLOWABLE)
                right = f"did you mean {meant}?" if meant else f"it can be {', '.join(ALLOWABLE)}"
                raise Wrong(f"there is no rule {rule}; {right}", rule)
            if not re.search(r"\w{2}", reason):
                raise Wrong(f'without a reason; write {rule}: "why this app {ALLOWABLE[rule].partition(":")[0]}"', rule)
        return allow

    @field_validator("tags")
    @classmethod
    def _ranges(cls, tags: dict[str, str]) -> dict[str, str]:
        for service, text in tags.items():
            if not text.split() or not all(_RANGE.fullmatch(part) for part in text.split() if part != "||"):
                raise Wrong(f"{text!r} is no range of versions; write for instance ~1.4, ^2 or >=2 <4", service)
        return tags


def read_settings(given: Any) -> tuple[AppSettings, list[tuple[Place, str]]]:
    """The settings, and (place inside the mapping, words) of all that is wrong; what is wrong is left out of them."""
    if given is None:
        return AppSettings(), []
    if not isinstance(given, dict):
        return AppSettings(), [((), f"{wording.shown(given)} is no mapping; write updates: notify, say, on a line below")]
    try:
        return AppSettings.model_validate(given), []
    except ValidationError as error:
        items = error.errors(include_url=False)
    right = {key: value for key, value in given.items() if key not in {item["loc"][0] for item in items}}
    return AppSettings.model_validate(right), [_problem(item) for item in items]


def _problem(item: Any) -> tuple[Place, str]:
    place = wording.location(item)
    if item["type"] == "dict_type":
        return place, f"{wording.shown(item['input'])} is no mapping; write NAME: value on lines below"
    if item["type"] == "literal_error":
        return place, f"{wording.shown(item['input'])} is not known; write {', '.join(UPDATES[:-1])} or {UPDATES[-1]}"
    if item["type"] == "string_type":
        what = "nothing is written" if item["input"] is None else f"{wording.shown(item['input'])} is not text"
        return place, f"{what}; write it in quotes"
    return place, wording.words(item, AppSettings, place)
