"""The image of one service in a compose.yaml, set by changing nothing but its value. Pure.

The file is the owner's: comments, order, quotes and line ends stay. What could not be set alone is refused: an image that comes
from an anchor, a variable or a merged mapping, or one pinned by digest.
"""

from __future__ import annotations

from typing import Any

import yaml

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.image import ImageRef


def set_tag(text: str, service: str, tag: str) -> str:
    """The compose file with another tag for the image of a service. Raises LabError where the line cannot be changed alone."""
    start, end, written = _value(text, service)
    try:
        ref = ImageRef.parse(written)
    except ValueError as error:
        raise _refused(service, str(error)) from error
    if ref.digest:
        raise _refused(service, f"{written} is pinned by digest")
    image = f"{written.removesuffix(f':{ref.tag}') if ref.tag else written}:{tag}"
    ImageRef.parse(image)
    quote = text[start] if text[start] in "\"'" else ""
    changed = f"{text[:start]}{quote}{image}{quote}{text[end:]}"
    _check(text, changed, service, image)
    return changed


def _value(text: str, service: str) -> tuple[int, int, str]:
    """Where the image stands in the text, and what it says there."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise _refused(service, "the file is no YAML") from error
    _, services = _entry(root, "services", service)
    _, settings = _entry(services, service, service)
    key, value = _entry(settings, "image", service)
    start, end = value.start_mark.index, value.end_mark.index
    is_here = key.end_mark.index < start and key.end_mark.line == value.start_mark.line == value.end_mark.line
    if not isinstance(value, yaml.ScalarNode) or not is_here or text[start] in "&!|>":
        raise _refused(service, "it does not stand on its line as plain text")
    return start, end, str(value.value)


def _entry(node: yaml.Node | None, name: str, service: str) -> tuple[yaml.Node, yaml.Node]:
    """The one entry of a mapping under a key."""
    pairs: list[tuple[yaml.Node, yaml.Node]] = node.value if isinstance(node, yaml.MappingNode) else []
    found = [pair for pair in pairs if pair[0].value == name]
    if len(found) != 1:
        raise _refused(service, f"{name} is {'there more than once' if found else 'not written there'}")
    return found[0]


def _check(before: str, after: str, service: str, image: str) -> None:
    """Raise LabError unless the image of the service is all that differs."""
    want: dict[str, Any] = yaml.safe_load(before)
    services = dict(want["services"])  # a copy of each level: an anchor makes two services one object
    services[service] = {**services[service], "image": image}
    if yaml.safe_load(after) != {**want, "services": services}:
        raise _refused(service, "another part of the file would change with it")


def _refused(service: str, why: str) -> LabError:
    return LabError(f"the image of {service} cannot be set: {why}", "change it by hand in compose.yaml", code=Code.IMAGE_LINE)
