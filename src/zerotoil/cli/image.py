"""`zerotoil image init | pin | build | push | diff`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from zerotoil.cli.hosts import find, inventory_option
from zerotoil.error_codes import Code
from zerotoil.errors import LabError

if TYPE_CHECKING:
    from zerotoil.clients.image_engine import Access
    from zerotoil.clients.registry import Registry
    from zerotoil.model.image import ImageRef
    from zerotoil.model.os_image import Difference
    from zerotoil.workflows.os_image import Built

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_directory = click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("images"),
    help="Their folder; default: images.",
)
_authfile = click.option(
    "--authfile", type=_FILE, help="Registry logins, as podman login writes them (mode 0600); default: $REGISTRY_AUTH_FILE."
)
_ca = click.option("--ca", type=_FILE, help="CA of your registry (PEM).")
_variant = click.argument("variant", default="base")


@click.group()
def image() -> None:
    """The hosts' OS as an image of your own: what it is made of, what is in it, where it is pushed."""


@image.command()
@click.option("--directory", "root", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="Default: here.")
@click.option("--ci", type=click.Choice(["github", "forgejo"]), help="Also a workflow that rebuilds, pushes and signs every day.")
def init(root: Path, ci: str | None) -> None:
    """Write images/: a Containerfile, overlays, and the list of packages. Nothing that exists is overwritten."""
    from zerotoil.setup.images import write_images

    for name in write_images(root, ci or ""):
        click.echo(f"written: {root / name}")
    click.echo("\nNext:\n  zerotoil image pin      write down what to build on\n  zerotoil image build    check and build")


@image.command()
@_directory
@_authfile
@_ca
@click.argument("reference", default="")
def pin(directory: Path, authfile: Path | None, ca: Path | None, reference: str) -> None:
    """Write down in base.lock what REFERENCE stands for now; default: what is there, at first Fedora CoreOS's stable stream."""
    from zerotoil.layers.os_image import ImageFolder
    from zerotoil.workflows.os_image import pin

    if reference:
        _ref(reference)
    before, after = pin(ImageFolder(directory), reference, _registry(_access(authfile, ca)))
    if before == after:
        click.echo(f"{after.reference}: as pinned, {after.version or after.digest}")
    else:
        was = f" (was {before.version or before.digest})" if before else ""
        click.echo(f"{after.reference}: {after.version or 'no version'}, {after.digest}{was}")


@image.command()
@_directory
@_authfile
@_ca
@_variant
@click.option("--against", metavar="REFERENCE", default="", help="Compare with this image; default: where it was pushed last.")
@click.option("--packages", "listed", is_flag=True, help="List every package and its size.")
def build(directory: Path, authfile: Path | None, ca: Path | None, variant: str, against: str, listed: bool) -> None:
    """Check everything in the folder, then build the stage VARIANT (default: base). Nothing is pushed."""
    from zerotoil.cli.snapshots import size
    from zerotoil.clients.image_engine import ImageEngine
    from zerotoil.layers.os_image import ImageFolder
    from zerotoil.workflows.os_image import build

    ref = _ref(against) if against else None
    access = _access(authfile, ca)
    registry = _registry(access)
    built = build(ImageFolder(directory), variant, ImageEngine.found(), access, click.echo)
    packages = built.installed
    about = f", {size(built.size)}" if built.size else ""
    click.echo(f"{variant}: built, {len(packages)} packages{about}, content {built.content[:12]}")
    if listed:
        for package in packages.values():
            click.echo(f"  {package.name} {package.version} {size(package.size) if package.size else '-'}")
    if ref or built.reference:
        _compare_with(ref or _ref(built.reference), registry, built)


def _compare_with(ref: ImageRef, registry: Registry, built: Built) -> None:
    """What changed since the last push. A registry that does not answer does not spoil a build."""
    from zerotoil.model.os_image import differences
    from zerotoil.workflows.os_image import pushed

    try:
        there = pushed(ref, registry)
    except LabError as error:
        click.echo(f"not compared with {ref}: {error.shown}", err=True)
        return
    if there is None:
        click.echo(f"{ref}: nothing was pushed there yet")
    elif there.content == built.content:
        click.echo(f"{ref}: the same content, a push would change nothing")
    elif not there.content:
        click.echo(f"{ref}: does not say what is in it; a push would replace it")
    else:
        found = differences(there.packages, built.installed)
        click.echo(f"{ref}: {_count(found)}" + ("" if found else "; base or files differ"))
        _list(found)


@image.command()
@_authfile
@_ca
@_variant
@click.argument("reference")
@click.option("--force", is_flag=True, help="Push though the registry has the same content.")
@click.option("--digest-file", type=click.Path(dir_okay=False, path_type=Path), help="Write the digest of the tag there.")
@click.option("--sign-key", type=_FILE, help="Sign by skopeo with this key (cosign's form), unless it is signed.")
@click.option("--sign-passphrase-file", type=_FILE, help="The key's passphrase (mode 0600).")
def push(
    authfile: Path | None, ca: Path | None, variant: str, reference: str, force: bool, digest_file: Path | None,
    sign_key: Path | None, sign_passphrase_file: Path | None,
) -> None:  # fmt: skip
    """Push the last build of VARIANT to REFERENCE (REGISTRY/NAME:TAG), unless the same content is there."""
    from zerotoil.clients import skopeo
    from zerotoil.clients.image_engine import ImageEngine
    from zerotoil.model.secret import Secret
    from zerotoil.workflows.os_image import is_signed, last_build, push, pushed

    ref, access, built = _ref(reference), _access(authfile, ca), last_build(variant)
    if sign_key and not sign_passphrase_file:
        raise LabError("--sign-key needs --sign-passphrase-file", "name the file that holds it", code=Code.WRONG_OPTION)
    for secret in (sign_key, sign_passphrase_file):
        if secret:
            Secret(source=f"file:{secret}").reveal()  # others may not read it
    registry = _registry(access)
    there = pushed(ref, registry)
    new = push(built, ref, None if force else there, ImageEngine.found(), access)
    digest = new or (there.digest if there else "")
    click.echo(f"{ref}: pushed, {new}" if new else f"{ref}: nothing changed, nothing pushed; {digest}")
    if digest_file:
        digest_file.write_text(digest)
    if sign_key and sign_passphrase_file and not is_signed(ref, digest, registry):
        skopeo.sign(ref, sign_key, sign_passphrase_file, access)
        click.echo(f"{ref}: signed")


@image.command()
@inventory_option
@click.argument("host")
@_variant
def diff(inventory: Path | None, host: str, variant: str) -> None:
    """Name the packages that the last build of VARIANT has otherwise than what HOST runs."""
    from zerotoil.workflows.os_image import RUNNING, compare, last_build

    built = last_build(variant)
    spec = find(host, inventory)
    from zerotoil.layers import Site

    guest = Site(spec, Path()).running_guest()
    found = compare(guest.ask(RUNNING), built)
    click.echo(f"{host} -> {variant}: {_count(found)}")
    _list(found)


def _access(authfile: Path | None, ca: Path | None) -> Access:
    from zerotoil.clients.image_engine import Access

    named = os.environ.get("REGISTRY_AUTH_FILE", "")
    return Access(authfile or (Path(named) if named else None), ca)


def _registry(access: Access) -> Registry:
    from zerotoil.clients.authfile import logins
    from zerotoil.clients.registry import Registry
    from zerotoil.model.registry import RegistrySpec

    return Registry(RegistrySpec(logins=logins(access.authfile) if access.authfile else {}, ca=access.ca))


def _ref(text: str) -> ImageRef:
    """A reference with a registry and a tag, and no digest: that is what moves."""
    from zerotoil.model.image import ImageRef, names_registry

    try:
        ref = ImageRef.parse(text)
    except ValueError as error:
        raise LabError(str(error), "", code=Code.IMAGE_REFERENCE) from error
    if not names_registry(text) or not ref.tag or ref.digest:
        what = f"{text!r} is not REGISTRY/NAME:TAG"
        raise LabError(what, "write for instance ghcr.io/owner/os:stable", code=Code.IMAGE_REFERENCE)
    return ref


def _count(found: Sequence[Difference]) -> str:
    if not found:
        return "the same packages"
    return f"{len(found)} package{'' if len(found) == 1 else 's'} differ{'s' if len(found) == 1 else ''}"


def _list(found: Sequence[Difference]) -> None:
    for one in found:
        click.echo(f"  {one}")
