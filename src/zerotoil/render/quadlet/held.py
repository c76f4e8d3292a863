"""An app's quadlets while services of it are held at an image: what podman.sh makes of the declared ones, by its `held`. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from zerotoil.render.quadlet.container import UNIT_LABEL

_DIGITS = 12  # of the digest, in the label that says from which unit a container was made


def held(app: str, files: Mapping[str, str], pins: Iterable[str]) -> dict[str, str]:
    """The quadlets as they are installed; `pins` are lines of a service and its image by digest."""
    made = dict(files)
    for line in pins:
        service, _, image = line.partition(" ")
        file = f"{app}-{service}.container"
        if file in made:
            made[file] = _at(made[file], image)
    return made


def _at(text: str, image: str) -> str:
    text = re.sub(r"^Image=.*", f"Image={image}", text, flags=re.MULTILINE)
    text = re.sub(r"^AutoUpdate=.*\n", "", text, flags=re.MULTILINE)
    mark = f"-held-{image.rpartition(':')[2][:_DIGITS]}"
    return re.sub(rf"^Label={re.escape(UNIT_LABEL)}=.*", rf"\g<0>{mark}", text, flags=re.MULTILINE)
