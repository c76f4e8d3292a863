"""The owner's apps on disk: apps/NAME/compose.yaml and the files beside it, its templates filled in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2.meta import find_undeclared_variables

from zerotoil.error_codes import Code
from zerotoil.errors import LabError, Several
from zerotoil.layers.templates import ENVIRONMENT, filling
from zerotoil.model.compose import App as ComposeApp
from zerotoil.model.compose import AppProblems, Service, across, check
from zerotoil.model.compose.hostpath import absolute, within
from zerotoil.model.places import app_folder
from zerotoil.model.secret import MASK, Secret
from zerotoil.model.spec import HostSpec
from zerotoil.model.volumes import Volume, further
from zerotoil.render.compose import override
from zerotoil.resources.guest import Guest
from zerotoil.resources.guest.app import App, GoneApps
from zerotoil.resources.guest.files import GuestFile
from zerotoil.resources.guest.mounted import Mounted
from zerotoil.resources.guest.packaged import unit
from zerotoil.resources.resource import Resource

COMPOSE = "compose.yaml"
TEMPLATE = ".template"
_LARGEST = 1024**2  # bytes of one file: an app's data comes from the app, not from the project
_MOST = 200  # files
_IGNORED = {".git", ".gitignore", ".DS_Store", "__pycache__", "README.md"}
_OURS = ".zerotoil"


@dataclass(frozen=True)
class OwnersApp:
    """One app as the owner wrote it: the text of its compose.yaml, and all its files as they will be in the guest."""

    name: str
    compose: str
    files: tuple[GuestFile, ...]


def names(root: Path) -> list[str]:
    """The apps that the project has."""
    return sorted(path.parent.name for path in (root / "apps").glob(f"*/{COMPOSE}"))


def read(spec: HostSpec, root: Path, name: str, offline: bool = False) -> OwnersApp:
    """One app of a host. `offline`: secrets are not read, and stand as asterisks. Raises LabError."""
    source = root / "apps" / name
    compose = source / COMPOSE
    if not compose.is_file():
        what = _missing(source, name, names(root))
        raise LabError(f"{spec.name}: apps: {what}", "see docs/guides/apps.md", code=Code.APP_MISSING)
    values = {"host": spec.name, **spec.apps.values.get(name, {})}
    files = [_file(spec, path, path.relative_to(source), name, values, offline) for path in _paths(source)]
    return OwnersApp(name, _text(compose), tuple(sorted(files, key=lambda file: file.path)))


def _missing(source: Path, name: str, known: list[str]) -> str:
    other = next((old for old in ("docker-compose.yml", "docker-compose.yaml", "compose.yml") if (source / old).is_file()), "")
    if other:
        return f"apps/{name}/{other} is not read; rename it to {COMPOSE}"
    return f"there is no apps/{name}/{COMPOSE}; the project has {', '.join(known) or 'no app'}"


def _paths(source: Path) -> Iterator[Path]:
    """Every file to be taken. Raises LabError for what cannot be: links, our own folder, too many."""
    found = []
    for path in sorted(source.rglob("*")):
        inside = path.relative_to(source)
        if _IGNORED & set(inside.parts) or path.name.endswith("~"):
            continue
        if path.is_symlink():
            raise _bad(path, "is a link", "put the file itself there")
        if _OURS in inside.parts:
            raise _bad(path, f"is in {_OURS}, which is zerotoil's", "use another folder")
        if any(c in str(inside) for c in "\n\\"):
            raise _bad(path, "has a backslash or line break in its name", "rename it")
        if path.is_file():
            found.append(path)
    if len(found) > _MOST:
        raise _bad(source, f"holds {len(found)} files, at most {_MOST} are taken", "keep data out of it")
    yield from found


def _file(spec: HostSpec, path: Path, inside: Path, app: str, values: dict[str, Any], offline: bool) -> GuestFile:
    if path.stat().st_size > _LARGEST:
        raise _bad(path, f"has {path.stat().st_size} bytes, at most {_LARGEST} are taken", "keep data out of it")
    target = f"{app_folder(app)}/{inside}"
    if not path.name.endswith(TEMPLATE):
        return GuestFile(target, 0o755 if path.stat().st_mode & 0o100 else 0o644, _content(path))
    text, secrets = _rendered(path, values, offline)
    target = target.removesuffix(TEMPLATE)
    if secrets and target.endswith(".env"):
        remedy = "an environment is readable by everybody who may ask Docker; mount it as a file (Compose: secrets)"
        raise _bad(path, f"would put the secret {secrets[0]} into the environment of a container", remedy)
    # Readable inside a container by whatever user it runs as; in the guest the app's folder lets nobody but root in.
    return GuestFile(target, 0o644, text, secret=bool(secrets))


def _rendered(path: Path, values: dict[str, Any], offline: bool) -> tuple[str, list[str]]:
    """The filled-in text, and the names of the secrets in it: only those that it uses are read."""
    source = _text(path)
    with filling(str(path), 'name the value in apps_values = {"APP": {"NAME": …}}', Code.APP_TEMPLATE):
        used = sorted(find_undeclared_variables(ENVIRONMENT.parse(source)) & set(values))
        secrets = [name for name in used if isinstance(values[name], Secret)]
        given = {name: values[name] for name in used}
        given |= {name: MASK if offline else values[name].reveal() for name in secrets}
        return ENVIRONMENT.from_string(source).render(given), secrets


def _content(path: Path) -> str | bytes:
    data = path.read_bytes()
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data


def _text(path: Path) -> str:
    content = _content(path)
    if isinstance(content, bytes):
        raise _bad(path, "is no text", "write it as UTF-8")
    return content


def _bad(path: Path, what: str, remedy: str) -> LabError:
    return LabError(f"{path} {what}", remedy, code=Code.APP_FILE)


Found = Sequence[tuple[OwnersApp, ComposeApp]]


@dataclass(frozen=True)
class Judged:
    """The apps of a host, read and judged; with podman also their quadlets: app -> file name -> text."""

    found: tuple[tuple[OwnersApp, ComposeApp], ...]
    problems: tuple[LabError, ...]
    quadlets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def must_be_right(self) -> None:
        """Raise LabError with everything that is wrong: then nothing of any app is touched."""
        if self.problems:
            raise Several(self.problems)


def judge(spec: HostSpec, root: Path, offline: bool = False) -> Judged:
    """Read the apps of a host, and find everything that is wrong with them. `offline`: secrets are not read."""
    found: list[tuple[OwnersApp, ComposeApp]] = []
    problems: list[LabError] = []
    for name in spec.apps.run:
        try:
            owners = read(spec, root, name, offline)
        except LabError as error:
            problems.append(error)
            continue
        texts = {f.path.removeprefix(f"{app_folder(name)}/"): f.content for f in owners.files if isinstance(f.content, str)}
        app, findings = check(name, owners.compose, spec.apps.updates, texts, [one.mount for one in further(spec)])
        problems += [AppProblems([finding]) for finding in findings]
        if app:
            problems += [*_secrets_in_environments(app, owners), *_conflicts(spec, app)]
            found.append((owners, app))
    problems += [AppProblems([finding]) for finding in across([app for _, app in found])]
    quadlets: Mapping[str, Mapping[str, str]] = {}
    if spec.container.backend == "podman":
        from zerotoil.layers import podman_apps

        quadlets, refused = podman_apps.render(spec, found)
        problems += refused
    return Judged(tuple(found), tuple(problems), quadlets)


def _secrets_in_environments(app: ComposeApp, owners: OwnersApp) -> Iterator[LabError]:
    """Files with a secret that a container would get as its environment, whatever they are called."""
    secret = {file.path for file in owners.files if file.secret}
    for service in app.services.values():
        for name in service.env_file:
            if absolute(app.name, name) in secret:
                what = f"services.{service.name}.env_file: {name} holds a secret, which everybody who may ask Docker would see"
                place = ("services", service.name, "env_file")
                yield AppProblems([app.finding(Code.COMPOSE_SECRET, place, f"{what}; mount the file instead")])


def _conflicts(spec: HostSpec, app: ComposeApp) -> Iterator[LabError]:
    """What an app asks for that the host's updater cannot do."""
    if app.policy.min_age is not None and spec.container.backend == "podman":
        what = f"x-zerotoil.min_age: podman knows no minimum age of an image, and {spec.name} runs podman; take it out"
        yield AppProblems([app.finding(Code.APPS_CLASH, ("x-zerotoil", "min_age"), what)])
    for service in app.services.values():
        try:
            outside = spec.registry.outside(service.image) if service.image else None
        except ValueError:  # no reference at all: said by the rules for images
            continue
        if outside:
            place = ("services", service.name, "image")
            yield AppProblems([app.finding(Code.IMAGE_OUTSIDE, place, f"services.{service.name}: {outside}")])
    linked = next((service for service in app.services.values() if service.depends_on), None)
    if linked and spec.watchtower.enabled and spec.watchtower.rolling_restart:
        what = (
            f"services.{linked.name}: depends_on, and watchtower_rolling_restart of {spec.name} is True: Watchtower refuses both "
            "together; set it to False"
        )
        yield AppProblems([app.finding(Code.APPS_CLASH, ("services", linked.name, "depends_on"), what)])


def resources(spec: HostSpec, judged: Judged, guest: Guest) -> list[Resource]:
    """The apps that the host runs, in the order in which they are declared, and the end of those that it runs no more."""
    judged.must_be_right()
    made: list[Resource] = []
    for owners, app in judged.found:
        files = sorted([*owners.files, *own_files(spec, app)], key=lambda file: file.path)
        made.append(App(guest, app.name, files, {name: _mounted(app, service) for name, service in app.services.items()}))
    return [*made, GoneApps(guest, spec.apps.run)]


def needed(spec: HostSpec, judged: Judged, guest: Guest) -> list[Resource]:
    """The volumes beside the data that apps of the host mount something of."""
    return [Mounted(guest, volume, apps) for volume, apps in _users(spec, judged.found) if apps]


def requirements(spec: HostSpec, judged: Judged) -> list[GuestFile]:
    """Drop-ins of the units of such apps: none of them starts on an OS disk that was made without its volume."""
    lines = asserted(spec, judged.found)
    return [unit(f"zerotoil-app@{app}.service.d/zerotoil.conf", f"[Unit]\n{text}") for app, text in lines.items()]


def asserted(spec: HostSpec, found: Found) -> dict[str, str]:
    """By app, the lines of a unit that wait for the mounts, and refuse to start where the OS disk was made without them."""
    lines: dict[str, str] = {}
    for volume, apps in _users(spec, found):
        waits = f"RequiresMountsFor={volume.mount}\nAssertPathIsMountPoint={volume.mount}\n"
        lines |= {app: f"{lines.get(app, '')}{waits}" for app in apps}
    return lines


def _users(spec: HostSpec, found: Found) -> list[tuple[Volume, tuple[str, ...]]]:
    """Each volume beside the data with the apps that mount something of it."""
    paths = {app.name: [path for one in app.services.values() for path in _mounted(app, one)] for _, app in found}
    return [(one, tuple(app for app in paths if any(within(path, one.mount) for path in paths[app]))) for one in further(spec)]


def _mounted(app: ComposeApp, service: Service) -> list[str]:
    """The paths of the host that a service's container mounts: binds, and the files of its secrets and configs."""
    paths = [bind.path for bind in service.binds]
    for kind, names in (("secrets", service.secrets), ("configs", service.configs)):
        given = [app.part(kind).get(name) for name in names]
        paths += [absolute(app.name, str(item["file"])) for item in given if isinstance(item, dict) and "file" in item]
    return paths


def own_files(spec: HostSpec, app: ComposeApp) -> list[GuestFile]:
    """What zerotoil adds to an app: the labels that say whose it is and how it is updated."""
    own = f"{app_folder(app.name)}/{_OURS}"
    files = [GuestFile(f"{own}/override.yaml", 0o644, override(app, spec.owner, spec.registry))]
    if app.updates == "auto+revert":
        files.append(GuestFile(f"{own}/revert", 0o644, "An image whose update turns a health check red is put back.\n"))
    return files
