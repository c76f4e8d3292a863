"""An Ignition config as people can read it, so that two of them can be compared line by line. Pure."""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import urllib.parse
from typing import Any

import yaml


def readable(config: str) -> str:
    """YAML with files decoded from their data: URLs and units as blocks; empty for an empty config."""
    if not config.strip():
        return ""
    try:
        plain = _plain(json.loads(config))
    except ValueError:
        return config
    return yaml.dump(plain, Dumper=_Blocks, sort_keys=False, width=1000, allow_unicode=True)


class _Blocks(yaml.SafeDumper):
    """Writes texts of several lines as blocks."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Blocks.add_representer(str, _text)


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    source = value.get("source")
    if isinstance(source, str) and source.startswith("data:"):
        return _decoded(source, value.get("compression"))
    return {name: _plain(inner) for name, inner in value.items()}


def _decoded(url: str, compression: str | None) -> str:
    """The text behind a data: URL (RFC 2397); the URL itself where it is no text."""
    head, _, body = url.partition(",")
    try:
        content = base64.b64decode(body) if head.endswith(";base64") else urllib.parse.unquote_to_bytes(body)
        return (gzip.decompress(content) if compression == "gzip" else content).decode()
    except (binascii.Error, OSError, UnicodeDecodeError):
        return url


def units(config: str) -> dict[str, str]:
    """The systemd units that the config brings, by name; drop-ins are left out."""
    found = json.loads(config).get("systemd", {}).get("units", [])
    return {unit["name"]: unit["contents"] for unit in found if unit.get("contents")}
