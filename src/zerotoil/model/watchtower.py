"""Watchtower, the container that keeps the others fresh.

Source of the option names and their conflicts: nicholas-fedor/watchtower docs/configuration.
"""

from __future__ import annotations

import re
import zoneinfo
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from zerotoil.model.image import ImageRef
from zerotoil.model.secret import SecretKey
from zerotoil.model.section import Section
from zerotoil.model.units import CRON_FIELDS, Bool, Lifetime, check_cron_field


def _image_age(text: Any) -> Lifetime:
    age = Lifetime.parse(text)
    if age.unit not in ("hour", "day", "week"):
        raise ValueError(f'{text!r}: a cooldown is in hours, days or weeks; write for instance "3 days"')
    return age


class WatchtowerSpec(Section):
    """How the host's containers are updated."""

    enabled: Bool = Field(True, description="Run Watchtower on this host")
    image: str = Field("nickfedor/watchtower:1.21.0", description="Image, pinned by tag; containrrr/watchtower is archived")
    schedule: str = Field("0 30 3 * * *", description="Six fields: second minute hour day month weekday")
    timezone: str = Field("UTC", description="Time zone of the schedule")
    cleanup: Bool = Field(True, description="Remove the old image after an update")
    label_enable: Bool = Field(True, description="Update only containers labelled com.centurylinklabs.watchtower.enable=true")
    cooldown: Annotated[Lifetime, BeforeValidator(_image_age)] | None = Field(
        Lifetime(3, "day"), description="Minimum age of an image, a buffer against poisoned releases; None: off"
    )
    rolling_restart: Bool = Field(False, description="Restart one at a time; not with depends_on")
    restart: Literal["always", "unless-stopped"] = Field("always", description="Restart policy of the container")
    notify_url: SecretKey | None = Field(None, description="Where it reports (Shoutrrr URL); a 0600 file, not in the environment")

    @field_validator("image")
    @classmethod
    def _pinned(cls, image: str) -> str:
        ref = ImageRef.parse(image)
        if not ref.digest and ref.tag in ("", "latest"):
            raise ValueError(f"{image!r} is not pinned; name a tag such as nickfedor/watchtower:1.21.0")
        return image

    @field_validator("schedule")
    @classmethod
    def _six_fields(cls, schedule: str) -> str:
        fields = schedule.split()
        if len(fields) != 6 or not all(re.fullmatch(r"[\d*/,\-A-Za-z?]+", field) for field in fields):
            raise ValueError(
                f"{schedule!r} is not a schedule of six fields (second first); five would be read as seconds. "
                'Write for instance "0 30 3 * * *" (03:30 every night)'
            )
        for (name, low, high), field in zip((("second", 0, 59), *CRON_FIELDS), fields, strict=True):
            if not re.search(r"[A-Za-z?]", field):  # names of months and weekdays are Watchtower's to read
                check_cron_field(name, field, low, high)
        return " ".join(fields)

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        if zone not in zoneinfo.available_timezones():
            raise ValueError(
                f"{zone!r} is not a time zone (Watchtower would silently take UTC); write for instance Europe/London"
            )
        return zone
