"""What a registry knows about an image: its tags, the digest behind a tag, when it was built, which version it says it is.

As few calls as can be: a tag is asked for by HEAD, which Docker Hub does not count as a pull; answers are kept for the run, and
what stands behind a digest for good, on this machine. Where a mirror is declared it is asked first, as the guests do.
Sources: OCI distribution-spec (spec.md) and image-spec (manifest.md, image-index.md, config.md, annotations.md).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

from zerotoil.clients import cache
from zerotoil.clients.registry.wire import Answer, Wire
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.image import ImageRef
from zerotoil.model.registry import RegistrySpec

_INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
_MANIFESTS = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json")
_ACCEPT = ", ".join((*_INDEXES, *_MANIFESTS))
_PLATFORM = ("linux", "amd64")
_VERSION = "org.opencontainers.image.version"
_PAGE, _PAGES = 1000, 100
_T = TypeVar("_T")


@dataclass(frozen=True)
class ImageInfo:
    """One image: the digest of its tag, when it was built (None where it does not say), its labels."""

    digest: str
    created: datetime | None = None
    labels: dict[str, str] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """The version that its maker says it is, behind a floating tag; empty without the label."""
        return self.labels.get(_VERSION, "")


class Registry:
    """All registries, as one host's declaration reaches them."""

    def __init__(self, spec: RegistrySpec, *, plain_loopback: bool = False) -> None:
        self._spec = spec
        self._wire = Wire(spec.logins, spec.ca, plain_loopback=plain_loopback)
        self._known: dict[tuple[str, str], Any] = {}

    def tags(self, ref: ImageRef) -> list[str]:
        """All tags of the image's repository. Raises LabError."""
        return self._kept("tags", ref.at(), self._tags)

    def digest(self, ref: ImageRef) -> str:
        """The digest that the tag stands for now. Raises LabError."""
        return ref.digest or self._kept("digest", ref, self._digest)

    def image(self, ref: ImageRef) -> ImageInfo:
        """What is known about the image behind a tag or digest. Raises LabError."""
        digest = self.digest(ref)
        kept = cache.folder("registry") / f"{digest.replace(':', '-')}.json"
        info = _read(digest, cache.read(kept))
        if info is None:
            info = self._kept("image", ref.at(digest=digest), self._image)
            created = info.created.isoformat() if info.created else None
            cache.write(kept, json.dumps({"created": created, "labels": info.labels}))
        return info

    def created(self, ref: ImageRef) -> datetime | None:
        """When the image was built; None where it does not say. Raises LabError."""
        return self.image(ref).created

    def labels(self, ref: ImageRef) -> dict[str, str]:
        """The image's labels. Raises LabError."""
        return self.image(ref).labels

    def _kept(self, what: str, ref: ImageRef, ask: Callable[[ImageRef], _T]) -> _T:
        """The answer, or the failure, of the first time it was asked for in this run."""
        key = (what, str(ref))
        if key not in self._known:
            try:
                self._known[key] = self._somewhere(ref, ask)
            except LabError as error:
                self._known[key] = error
        found = self._known[key]
        if isinstance(found, LabError):
            raise found
        return found  # type: ignore[no-any-return]

    def _somewhere(self, ref: ImageRef, ask: Callable[[ImageRef], _T]) -> _T:
        """What the first place says that has an answer: the mirror, then the registry itself, unless there is an airgap."""
        *first, last = self._spec.places(ref)
        for place in first:
            try:
                return ask(place)
            except LabError:
                continue
        return ask(last)

    def _digest(self, ref: ImageRef) -> str:
        answer = self._manifest("HEAD", ref)
        digest = answer.headers.get("docker-content-digest", "")
        return digest or _sha256(self._manifest("GET", ref).body)  # not every registry has the header

    def _tags(self, ref: ImageRef) -> list[str]:
        path, found = f"/v2/{ref.repository}/tags/list?n={_PAGE}", []
        for _ in range(_PAGES):
            answer = self._wire.call("GET", ref.registry, path, ref.repository)
            found += [tag for tag in _object(ref, answer.body).get("tags") or [] if isinstance(tag, str)]
            if not answer.next_page:
                return found
            following = urlsplit(urljoin(f"https://{ref.registry}{path}", answer.next_page))
            path = f"{following.path}?{following.query}"  # never to another host: our login would go along
        raise LabError(
            f"{ref.registry} has no end of tags for {ref.repository} ({len(found)} so far)", "leave x-zerotoil tags out for it",
            code=Code.REGISTRY_ANSWER,
        )  # fmt: skip

    def _image(self, ref: ImageRef) -> ImageInfo:
        manifest = _object(ref, self._checked(ref, self._manifest("GET", ref).body))
        if "manifests" in manifest:
            child = ref.at(digest=_for_platform(ref, manifest))
            manifest = _object(child, self._checked(child, self._manifest("GET", child).body))
        config = manifest.get("config")
        if not isinstance(config, dict) or not isinstance(config.get("digest"), str):
            raise _strange(ref, "a manifest without a config")
        blob = ref.at(digest=config["digest"])
        path = f"/v2/{blob.repository}/blobs/{blob.digest}"
        body = self._checked(blob, self._wire.call("GET", blob.registry, path, blob.repository).body)
        return _info(ref.digest, _object(blob, body))

    def _manifest(self, method: str, ref: ImageRef) -> Answer:
        path = f"/v2/{ref.repository}/manifests/{ref.reference}"
        return self._wire.call(method, ref.registry, path, ref.repository, accept=_ACCEPT, pull=method == "GET")

    def _checked(self, ref: ImageRef, body: bytes) -> bytes:
        if _sha256(body) != ref.digest:
            raise _strange(ref, f"other content than {ref.digest}")
        return body


def _for_platform(ref: ImageRef, index: dict[str, Any]) -> str:
    """The digest of the image for our guests' kind of machine."""
    entries = [entry for entry in index["manifests"] or [] if isinstance(entry, dict)]
    for entry in entries:
        platform = entry.get("platform") or {}
        if (platform.get("os"), platform.get("architecture")) == _PLATFORM and isinstance(entry.get("digest"), str):
            return str(entry["digest"])
    raise LabError(
        f"{ref.name} at {ref.digest} has no image for {'/'.join(_PLATFORM)}", "name another tag, or another image",
        code=Code.REGISTRY_OTHER_PLATFORM,
    )  # fmt: skip


def _info(digest: str, config: dict[str, Any]) -> ImageInfo:
    inner = config.get("config")
    labels = (inner.get("Labels") if isinstance(inner, dict) else None) or {}
    return ImageInfo(digest, when(config.get("created")), {str(name): str(value) for name, value in labels.items()})


def when(text: Any) -> datetime | None:
    """The time of a `created` field (RFC 3339, often with nanoseconds); None for what is none."""
    try:
        made = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return made if made.tzinfo else made.replace(tzinfo=UTC)


def _read(digest: str, kept: str | None) -> ImageInfo | None:
    try:
        found = json.loads(kept or "")
        return ImageInfo(digest, when(found["created"]), dict(found["labels"]))
    except (ValueError, KeyError, TypeError):
        return None


def _object(ref: ImageRef, body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise _strange(ref, "what is no JSON object")
    return found


def _strange(ref: ImageRef, what: str) -> LabError:
    return LabError(
        f"{ref.registry} answered {what} for {ref.repository}", "is a registry behind this name?", code=Code.REGISTRY_ANSWER
    )


def _sha256(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"
