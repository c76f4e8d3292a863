"""References of container images, read as Docker reads them: registry, repository, tag, digest. Pure.

Source: github.com/distribution/reference (regexp.go, normalize.go): a first part with a dot, a colon or capitals, or
`localhost`, is a registry; all else lies on Docker Hub, where a name without a namespace is in `library/`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

DOCKER_HUB = "docker.io"
_HUB_NAMES = ("index.docker.io", "registry-1.docker.io")  # the same registry under the names of its API
_LONGEST_REPOSITORY = 255
_HEX_DIGITS = {"sha256": 64, "sha384": 96, "sha512": 128}
_LABEL = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_REGISTRY = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_TAG = r"[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}"
_EXAMPLE = "ghcr.io/owner/app:1.4"


@dataclass(frozen=True)
class ImageRef:
    """One reference. `tag` and `digest` are empty where it names none; `str()` is its full form, docker.io/library/nginx:1.27."""

    registry: str
    repository: str
    tag: str = ""
    digest: str = ""

    @classmethod
    def parse(cls, text: str) -> ImageRef:
        """Read a reference as people write it ("nginx:1.27"). Raises ValueError with what would be right."""
        if "$" in text:
            raise ValueError(f"{text!r} holds a variable; write the image itself, for instance {_EXAMPLE}")
        if re.fullmatch(r"(sha256:)?[0-9a-f]{64}", text):
            raise ValueError(f"{text!r} is the id of an image on one machine; write its name, for instance {_EXAMPLE}")
        name, at, digest = text.partition("@")
        if at:
            _check_digest(text, digest)
        registry, path = _split(name)
        repository, colon, tag = path.partition(":")
        _check_parts(text, registry, repository)
        if colon and not re.fullmatch(_TAG, tag):
            raise ValueError(f"{text!r}: {tag!r} is no tag; a tag is letters, digits, '_', '.' and '-', at most 128")
        return cls(registry, repository, tag, digest)

    def __str__(self) -> str:
        return f"{self.name}{':' + self.tag if self.tag else ''}{'@' + self.digest if self.digest else ''}"

    @property
    def name(self) -> str:
        """Registry and repository: docker.io/library/nginx."""
        return f"{self.registry}/{self.repository}"

    @property
    def familiar(self) -> str:
        """The short form that Docker shows: nginx:1.27."""
        for short in (self.repository.removeprefix("library/"), self.repository):
            if _split(short) == (self.registry, self.repository):
                return short + str(self).removeprefix(self.name)
        return str(self)

    @property
    def reference(self) -> str:
        """What a registry is asked for: the digest, else the tag, else `latest`."""
        return self.digest or self.tag or "latest"

    def at(self, tag: str = "", digest: str = "") -> ImageRef:
        """The same repository at another tag or digest."""
        return replace(self, tag=tag, digest=digest)

    def moved(self, registry: str, path: str = "") -> ImageRef:
        """The same image on another registry, below `path` there."""
        return replace(self, registry=registry, repository=f"{path}/{self.repository}" if path else self.repository)


def names_registry(text: str) -> bool:
    """Whether the reference, as it is written, says which registry it is from ("nginx" does not)."""
    first, slash, _ = text.partition("/")
    return bool(slash) and _is_registry(first)


def registry_name(text: str) -> str:
    """The name of a registry as references have it: "index.docker.io" is docker.io. Raises ValueError for no HOST[:PORT]."""
    if re.match(r"https?://", text):
        raise ValueError(f"{text!r}: write the registry without {text.partition('//')[0]}//, for instance nas.lan:5000")
    if not re.fullmatch(_REGISTRY, text):
        raise ValueError(f"{text!r} is no registry; write HOST or HOST:PORT, for instance ghcr.io or nas.lan:5000")
    if not _is_registry(text):
        raise ValueError(f"{text!r}: Docker takes a name without a dot or a port for a user of Docker Hub; write {text}:5000")
    return DOCKER_HUB if text in _HUB_NAMES else text


def check_repository(path: str) -> None:
    """Raise ValueError for what cannot be the path of a repository."""
    if not re.fullmatch(rf"{_PART}(?:/{_PART})*", path):
        raise ValueError(f"{path!r} is no path on a registry; it is lower case letters, digits, '.', '_' and '-', parted by '/'")


def _split(name: str) -> tuple[str, str]:
    """Registry and the rest, as Docker splits them."""
    first, slash, rest = name.partition("/")
    if not slash or not _is_registry(first):
        registry, path = DOCKER_HUB, name
    else:
        registry, path = (DOCKER_HUB if first in _HUB_NAMES else first), rest
    return registry, f"library/{path}" if registry == DOCKER_HUB and "/" not in path else path


def _is_registry(first: str) -> bool:
    return first == "localhost" or any(mark in first for mark in ".:") or first != first.lower()


def _check_parts(text: str, registry: str, repository: str) -> None:
    if not re.fullmatch(_REGISTRY, registry):
        raise ValueError(f"{text!r} is no image: {registry!r} is no registry; write for instance {_EXAMPLE}")
    if repository != repository.lower():
        raise ValueError(f"{text!r} is no image: its name is lower case only; write {repository.lower()}")
    if not re.fullmatch(rf"{_PART}(?:/{_PART})*", repository):
        raise ValueError(f"{text!r} is no image; write for instance {_EXAMPLE}")
    if len(repository) > _LONGEST_REPOSITORY:
        raise ValueError(f"{text!r} is no image: its name has {len(repository)} characters, {_LONGEST_REPOSITORY} are allowed")


def _check_digest(text: str, digest: str) -> None:
    algorithm, _, value = digest.partition(":")
    digits = _HEX_DIGITS.get(algorithm)
    if digits is None or not re.fullmatch(rf"[0-9a-f]{{{digits}}}", value):
        raise ValueError(f"{text!r}: {digest!r} is no digest; write sha256: and 64 hexadecimal digits")
