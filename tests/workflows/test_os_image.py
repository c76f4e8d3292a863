"""An OS image is built, pushed only when it changed, and compared: with the real buildah, a real registry, and a bit of Debian as
its base (dnf and bootc are not here). No stand-ins."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.clients.registry.oci import RealRegistry, real_registry
from tests.conftest import make_spec
from tests.mounts import in_chroot
from tests.os_image import CONTAINERFILE, engine, image_folder, push_base
from zerotoil.cli.image import image
from zerotoil.clients.image_engine import Access, ImageEngine
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers import Site
from zerotoil.layers.os_image import ImageFolder
from zerotoil.model.image import ImageRef
from zerotoil.model.os_image import PACKAGES
from zerotoil.resources.guest import Guest
from zerotoil.workflows import os_image
from zerotoil.workflows.os_image import compare, last_build


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRegistry]:
    with real_registry(tmp_path_factory.mktemp("registry"), user="me", password="s3cret", tls=True) as made:
        yield made


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, registry: RealRegistry) -> Path:
    """A folder with an engine's storage, which has built the base and pushed it: that takes longer than all that is tested."""
    if in_chroot():
        pytest.skip("a chroot: buildah remounts / to write a layer, and there / is no mount point")
    folder = tmp_path_factory.mktemp("shared")
    with pytest.MonkeyPatch.context() as patch:
        made = engine(folder / "storage", patch)
        login(folder, registry)
        push_base(folder, made, registry, "1.80")
    return folder


def login(folder: Path, registry: RealRegistry) -> Path:
    path = folder / "auth.json"
    path.write_text(json.dumps({"auths": {registry.name: {"auth": "bWU6czNjcmV0"}}}))
    path.chmod(0o600)
    return path


class Project:
    """An owner's folder with images/, logged in to a registry that has a base."""

    def __init__(self, root: Path, shared: Path, registry: RealRegistry, patch: pytest.MonkeyPatch) -> None:
        self.root, self.shared, self.registry, self.patch = root, shared, registry, patch
        self.folder: ImageFolder = image_folder(root / "images")
        self.auth = login(root, registry)
        patch.setenv("REGISTRY_AUTH_FILE", str(self.auth))
        patch.setenv("ZEROTOIL_CACHE", str(root / "cache"))
        self.engine: ImageEngine = engine(shared / "storage", patch)
        patch.setattr(ImageEngine, "found", lambda: self.engine)
        patch.chdir(root)
        self.base = ImageRef.parse(f"{registry.name}/os/base:stable")

    def run(self, verb: str, *arguments: str) -> Result:
        given = ["--ca", str(self.registry.ca)] if verb in ("pin", "build", "push") else []
        return CliRunner().invoke(image, [verb, *given, *arguments])

    def ok(self, verb: str, *arguments: str) -> str:
        done = self.run(verb, *arguments)
        assert done.exit_code == 0, (done.output, done.exception)
        return done.output

    def fails(self, verb: str, *arguments: str) -> LabError:
        error = self.run(verb, *arguments).exception
        assert isinstance(error, LabError), error
        return error


@pytest.fixture
def project(tmp_path: Path, shared: Path, registry: RealRegistry, monkeypatch: pytest.MonkeyPatch) -> Project:
    return Project(tmp_path, shared, registry, monkeypatch)


def test_from_the_base_to_a_push_that_changes_nothing(project: Project, tmp_path: Path) -> None:
    target = f"{project.registry.name}/{tmp_path.name.lower().replace('_', '-')}/os:stable"
    assert project.ok("pin", str(project.base)).startswith(f"{project.base}: 1.80, sha256:")
    assert project.ok("pin") == f"{project.base}: as pinned, 1.80\n"

    said = project.ok("build", "--against", target, "--packages")
    built = last_build("base")
    assert said.splitlines()[0] == (
        f"base: everything that is checked before a build is right; building on {project.folder.base.pinned}"
    )
    assert said.splitlines()[1].startswith("base: built, 2 packages, ")
    assert said.splitlines()[1].endswith(f"content {built.content[:12]}")
    assert said.splitlines()[2:] == [
        "  base-files 13 10.0 KiB",
        "  tailscale 1.80 10.0 KiB",
        f"{target}: nothing was pushed there yet",
    ]
    assert built.packages == "base-files 13 10240\ntailscale 1.80 10240\n"

    assert project.ok("push", "base", target, "--digest-file", "pushed").startswith(f"{target}: pushed, sha256:")
    digest = Path("pushed").read_text()
    assert (
        project.ok("push", "base", target, "--digest-file", "pushed") == f"{target}: nothing changed, nothing pushed; {digest}\n"
    )
    assert Path("pushed").read_text() == digest  # a workflow signs what is not signed, also from a run before

    project.engine = engine(tmp_path / "storage", project.patch)  # as a CI job builds: nothing is kept from the last time
    assert project.ok("build").splitlines()[-1] == f"{target}: the same content, a push would change nothing"
    assert project.ok("push", "base", target).startswith(f"{target}: nothing changed")
    assert project.ok("push", "base", target, "--force").startswith(f"{target}: pushed, sha256:")


def test_a_newer_base_is_named_by_its_packages(project: Project, tmp_path: Path) -> None:
    target = f"{project.registry.name}/newer/os:stable"
    project.ok("pin", str(project.base))
    project.ok("build")
    project.ok("push", "base", target)
    newer = push_base(tmp_path, project.engine, project.registry, "1.82", "os/newer")
    assert project.ok("pin", str(newer)).endswith(" (was 1.80)\n")
    assert project.ok("build").splitlines()[-2:] == [f"{target}: 1 package differs", "  ~ tailscale 1.80 -> 1.82"]
    assert project.ok("push", "base", target).startswith(f"{target}: pushed, ")


def test_a_file_alone_is_a_change(project: Project) -> None:
    target = f"{project.registry.name}/file/os:stable"
    project.ok("pin", str(project.base))
    project.ok("build", "more")
    project.ok("push", "more", target)
    (project.folder.root / "overlay/more/etc/motd").write_text("bye\n")
    assert project.ok("build", "more").splitlines()[-1] == f"{target}: the same packages; base or files differ"
    assert project.ok("push", "more", target).startswith(f"{target}: pushed, ")


def test_no_credential_is_on_a_command_line(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[list[str]] = []
    run = os_image.ImageEngine._run

    def noted(self: ImageEngine, line: list[str], *more: Any) -> str:
        lines.append(line)
        return run(self, line, *more)

    monkeypatch.setattr(ImageEngine, "_run", noted)
    project.ok("pin", str(project.base))
    project.ok("build")
    project.ok("push", "base", f"{project.registry.name}/secret/os:stable")
    assert any("--authfile" in line for line in lines)
    assert "s3cret" not in str(lines)


@pytest.mark.parametrize(
    ("text", "code", "want"),
    [
        (CONTAINERFILE.replace("RUN sh", "RUN nosuch"), Code.IMAGE_BUILD_FAILED, "base was not built (STEP 3/3: RUN nosuch"),
        (CONTAINERFILE.replace("RUN sh /usr/libexec/zerotoil/list-packages.sh\n", ""), Code.IMAGE_NO_PACKAGES,
         "base has no /usr/share/zerotoil/packages.txt: "
         "add RUN sh /usr/libexec/zerotoil/list-packages.sh to that stage, after its dnf"),
        (CONTAINERFILE.replace("RUN sh", "RUN rpm-ostree install x && sh"), Code.CONTAINERFILE_RULE,
         "Containerfile line 4: rpm-ostree install fails in a build: its base was not booted: use dnf"),
    ],
)  # fmt: skip
def test_what_is_wrong_surfaces_in_the_build(project: Project, text: str, code: Code, want: str) -> None:
    project.ok("pin", str(project.base))
    (project.folder.root / "Containerfile").write_text(text)
    error = project.fails("build")
    assert (error.code, str(error)[: len(want)]) == (code, want)
    with pytest.raises(LabError, match="^no base image was built here: zerotoil image build base$"):
        last_build("base")


def test_nothing_is_pinned_yet(project: Project) -> None:
    assert str(project.fails("build")) == "images/base.lock is not there: run zerotoil image pin"


def test_a_push_that_is_refused(project: Project, registry: RealRegistry, tmp_path: Path) -> None:
    project.ok("pin", str(project.base))
    project.ok("build")
    project.auth.write_text("{}")
    project.auth.chmod(0o600)
    with pytest.raises(LabError, match=r"was not pushed \(.*\): is the login in --authfile right") as caught:
        project.engine.push(last_build("base").image, project.base.at(tag="x"), Access(project.auth, registry.ca))
    assert caught.value.code is Code.IMAGE_PUSH_FAILED


def test_logins_that_others_may_read(project: Project) -> None:
    project.auth.chmod(0o644)
    assert project.fails("pin", str(project.base)).code is Code.SECRET_OPEN_TO_OTHERS


@pytest.mark.parametrize("text", ["os", "ghcr.io/owner/os", "owner/os:stable", "ghcr.io/owner/os:x@sha256:" + "a" * 64])
def test_a_target_is_a_registry_and_a_tag(project: Project, text: str) -> None:
    error = project.fails("push", "base", text)
    assert (error.code, str(error)) == (
        Code.IMAGE_REFERENCE, f"{text!r} is not REGISTRY/NAME:TAG: write for instance ghcr.io/owner/os:stable"
    )  # fmt: skip


def test_a_host_is_compared_by_name(project: Project) -> None:
    project.ok("pin", str(project.base))
    project.ok("build")
    found = compare("base-files 13 1\nnano 8 1\ntailscale 1.78 1\n", last_build("base"))
    assert [str(one) for one in found] == ["- nano 8", "~ tailscale 1.78 -> 1.80"]


@pytest.mark.skipif(not shutil.which("dpkg-query"), reason="dpkg-query is not installed")
def test_a_host_says_what_it_runs(tmp_path: Path) -> None:
    """By the file of its image; where there is none, by its package database."""
    listed = tmp_path / "packages.txt"
    script = os_image.RUNNING.replace(PACKAGES, str(listed))
    assert re.search(r"^bash \d\S+$", asked(script), re.M)
    listed.write_text("bash 1 2\n")
    assert asked(script) == "bash 1 2\n"


def asked(script: str) -> str:
    return subprocess.run(["/bin/sh", "-s"], input=script, capture_output=True, text=True, timeout=60, check=True).stdout


def test_diff_names_what_a_host_would_get(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.ok("pin", str(project.base))
    project.ok("build")
    running = ["base-files 13 1\ntailscale 1.78 1\n", "base-files 13\ntailscale 1.80\n"]
    monkeypatch.setattr("zerotoil.cli.image.find", lambda host, _inventory: make_spec(host))
    monkeypatch.setattr(Site, "running_guest", lambda site: Guest(site.spec.name, lambda script: running.pop(0)))
    assert project.ok("diff", "web1") == "web1 -> base: 1 package differs\n  ~ tailscale 1.78 -> 1.80\n"
    assert project.ok("diff", "web1") == "web1 -> base: the same packages\n"
    assert str(project.fails("diff", "web1", "k3s")) == "no k3s image was built here: zerotoil image build k3s"
