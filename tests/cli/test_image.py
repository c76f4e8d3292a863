"""`zerotoil image init`: what it writes is what is shipped, and right; workflows are held against the command that they call."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import click
import pytest
import yaml
from click.testing import CliRunner

from tests.os_image import SHIPPED
from zerotoil.cli.image import image
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers.os_image import ImageFolder
from zerotoil.setup.images import SHIPPED as PACKAGED
from zerotoil.setup.images import WORKFLOWS

SCRIPT = SHIPPED / "overlay/base/usr/libexec/zerotoil/list-packages.sh"
NEXT = "\nNext:\n  zerotoil image pin      write down what to build on\n  zerotoil image build    check and build\n"


def names(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_the_repositorys_folder_is_the_one_that_is_shipped() -> None:
    assert SHIPPED.resolve() == PACKAGED


def test_it_writes_a_folder_that_is_right(tmp_path: Path) -> None:
    done = CliRunner().invoke(image, ["init", "--directory", str(tmp_path), "--ci", "github"])
    written = [
        "images/Containerfile",
        "images/overlay/base/etc/yum.repos.d/tailscale.repo",
        "images/overlay/base/usr/libexec/zerotoil/list-packages.sh",
        "images/overlay/k3s/etc/yum.repos.d/rancher-k3s-common.repo",
        ".github/workflows/os-image.yml",
    ]
    assert done.output == "".join(f"written: {tmp_path}/{name}\n" for name in written) + NEXT
    assert names(tmp_path) == sorted(written)
    assert os.access(tmp_path / written[2], os.X_OK)
    if shutil.which("systemd-analyze") and shutil.which("shellcheck"):
        ImageFolder(tmp_path / "images").check()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images/Containerfile").write_text("mine")
    error = CliRunner().invoke(image, ["init", "--directory", str(tmp_path)]).exception
    assert isinstance(error, LabError) and error.code is Code.FILE_EXISTS
    assert str(error) == f"{tmp_path}/images/Containerfile exists, nothing was written: see --directory"
    assert names(tmp_path) == ["images/Containerfile"]


@pytest.mark.parametrize("name", sorted(WORKFLOWS))
def test_a_workflow_calls_what_there_is(name: str, tmp_path: Path) -> None:
    """Its steps are shell that shellcheck takes, and every `zerotoil image` in them has only options that exist."""
    text = (SHIPPED / "ci" / f"{name}.yml").read_text()
    workflow = yaml.safe_load(text)
    assert workflow[True]["schedule"] == [{"cron": "17 1 * * *"}]  # `on` is true in YAML 1.1
    steps = [step["run"] for step in workflow["jobs"]["images"]["steps"] if "run" in step]
    script = "#!/bin/bash\nset -e\n" + "\n".join(re.sub(r"\$\{\{.*?\}\}", "x", step) for step in steps)
    if shutil.which("shellcheck"):
        (tmp_path / "steps.sh").write_text(script)
        done = subprocess.run(["shellcheck", str(tmp_path / "steps.sh")], capture_output=True, text=True, timeout=60)
        assert done.stdout == ""
    calls = re.findall(r"zerotoil image (\w+)(.*)", "\n".join(steps))
    assert [verb for verb, _ in calls] == ["pin", "build", "push"]
    for verb, rest in calls:
        known = {option for parameter in image.commands[verb].params for option in parameter.opts}
        assert set(re.findall(r"--[\w-]+", rest)) <= known
    assert isinstance(image, click.Group)
    for secret in ("COSIGN_PRIVATE_KEY", "COSIGN_PASSWORD"):
        assert f"{secret}: ${{{{ secrets.{secret} }}}}" in text  # by environment, never in a command
        assert f"${secret}" not in text


def listed(folder: Path, **programs: str) -> tuple[int, str, str]:
    """What the script writes where only these programs and the usual ones are found."""
    here = folder / "bin"
    here.mkdir()
    for name in ("mkdir", "dirname", "sort", "sed", "rm", "awk"):
        (here / name).symlink_to(shutil.which(name) or "")
    for name, body in programs.items():
        (here / name.replace("_", "-")).write_text(f"#!/bin/sh\n{body}\n")
        (here / name.replace("_", "-")).chmod(0o755)
    out = folder / "deep" / "packages.txt"
    done = subprocess.run(["/bin/sh", str(SCRIPT), str(out)], env={"PATH": str(here)}, capture_output=True, text=True, timeout=20)
    left = sorted(path.name for path in out.parent.glob("*"))
    assert left in ([], ["packages.txt"]) or done.returncode
    return done.returncode, out.read_text() if out.exists() else "", done.stderr


def test_packages_of_fedora(tmp_path: Path) -> None:
    """A stand-in for rpm; its format is written as rpm(8) has it."""
    said = "printf '%s\\n' 'zlib 1.3-1.fc44 100' 'gpg-pubkey 1-2 0' 'bash 0:5.2-1.fc44 200' 'zlib 1.3-1.fc44 100'"
    check = '[ "$*" = "-qa --queryformat %{NAME} %{EVR} %{SIZE}\\n" ] || exit 1; '
    assert listed(tmp_path, rpm=check + said) == (0, "bash 0:5.2-1.fc44 200\nzlib 1.3-1.fc44 100\n", "")


@pytest.mark.skipif(not shutil.which("dpkg-query"), reason="dpkg-query is not installed")
def test_packages_of_debian(tmp_path: Path) -> None:
    code, text, _ = listed(tmp_path, dpkg_query=f'exec {shutil.which("dpkg-query")} "$@"')
    assert code == 0
    assert re.search(r"^bash \S+ \d+$", text, re.M)


@pytest.mark.parametrize(
    ("programs", "want"),
    [
        ({}, "list-packages: neither rpm nor dpkg-query is in the image\n"),
        ({"rpm": "true"}, "list-packages: the image's database names no package\n"),
        ({"rpm": "echo locked >&2; exit 1"}, "locked\n"),
    ],
)
def test_no_packages_is_an_error(tmp_path: Path, programs: dict[str, str], want: str) -> None:
    code, text, said = listed(tmp_path, **programs)
    assert (code != 0, text, said) == (True, "", want)
