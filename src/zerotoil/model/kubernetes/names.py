"""Names of objects and addresses of charts, as keys of the inventory and as rules for manifests. Pure."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator


def is_name(name: str) -> bool:
    """Is it a name that objects of most kinds can have: a DNS subdomain of RFC 1123?"""
    label = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
    return len(name) <= 253 and bool(re.fullmatch(rf"{label}(\.{label})*", name))


def check_name(name: str) -> str:
    """The name. Raises ValueError for one that no object can have."""
    if not is_name(name):
        raise ValueError(f"{name!r} is no name of an object; use a-z, 0-9, '-' and '.'")
    return name


def _check_chart_repo(url: str) -> str:
    if not re.fullmatch(r"(https?|oci)://[^\s@]+", url):
        raise ValueError(f"{url!r} is no repository of charts; write https://… or oci://…, without a login")
    return url


ObjectName = Annotated[str, AfterValidator(check_name)]
ChartRepo = Annotated[str, AfterValidator(_check_chart_repo)]
