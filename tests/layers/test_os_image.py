"""The folder of an OS image is judged before anything is built: by our rules, by the real systemd-analyze and shellcheck."""

import shutil
from pathlib import Path

import pytest

from tests.os_image import SHIPPED, image_folder
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers.os_image import ImageFolder

pytestmark = pytest.mark.skipif(
    not shutil.which("systemd-analyze") or not shutil.which("shellcheck"),
    reason="systemd-analyze and shellcheck are not installed",
)


def wrong(folder: ImageFolder, name: str, text: str, mode: int = 0o644) -> list[tuple[Code, str]]:
    """All that is said once a file is there."""
    path = folder.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    with pytest.raises(LabError) as caught:
        folder.check()
    return [(error.code, str(error)) for error in getattr(caught.value, "errors", [caught.value])]


@pytest.fixture
def folder(tmp_path: Path) -> ImageFolder:
    made = image_folder(tmp_path / "images")
    made.check()
    return made


def test_the_shipped_folder_is_right() -> None:
    ImageFolder(SHIPPED).check()


def test_a_unit(folder: ImageFolder) -> None:
    name = "overlay/base/usr/lib/systemd/system/late.service"
    assert wrong(folder, name, "[Service]\nType=oneshot\nExecStrat=/bin/true\nExecStart=/usr/bin/late\n") == [
        (Code.IMAGE_UNIT,
         "overlay/base: unit late.service line 3: Unknown key 'ExecStrat' in section [Service]; "
         "man systemd.directives lists all")
    ]  # fmt: skip


def test_a_unit_without_a_command(folder: ImageFolder) -> None:
    ((code, said),) = wrong(folder, "overlay/more/etc/systemd/system/empty.service", "[Service]\nType=simple\n")
    assert code is Code.IMAGE_UNIT
    assert said.startswith("overlay/more: unit empty.service: ")


def test_a_drop_in_of_a_unit_that_the_base_has(folder: ImageFolder) -> None:
    name = "overlay/base/etc/systemd/system/docker.service.d/10-later.conf"
    ((code, said),) = wrong(folder, name, "[Unit]\nAfterr=x.service\n")
    assert code is Code.IMAGE_UNIT
    assert said.startswith("overlay/base: unit docker.service.d/10-later.conf line 2: Unknown key 'Afterr'")
    (folder.root / name).write_text("[Unit]\nAfter=network-online.target\n")
    folder.check()


def test_a_script(folder: ImageFolder) -> None:
    ((code, said),) = wrong(folder, "overlay/base/usr/libexec/x", "#!/bin/sh\ncd $1\n", 0o755)[:1]
    assert code is Code.IMAGE_SCRIPT
    assert said.startswith("overlay/base/usr/libexec/x line 2: SC2164 ") and said.endswith(": mend the script")


def test_a_script_that_cannot_be_started(folder: ImageFolder) -> None:
    name = "overlay/base/etc/zerotoil/health.d/web"
    assert wrong(folder, name, "#!/bin/sh\ntrue\n") == [
        (Code.IMAGE_SCRIPT, f"{name} is a script and not executable: chmod +x {folder.root / name}")
    ]


def test_everything_is_said_at_once(folder: ImageFolder) -> None:
    text = (folder.root / "Containerfile").read_text()
    (folder.root / "Containerfile").write_text(text + "RUN rpm-ostree install x\n")
    (folder.root / "overlay/more/etc/systemd/system").mkdir(parents=True)
    (folder.root / "overlay/more/etc/systemd/system/x.timer").write_text("[Timer]\nOnCalender=daily\nOnCalendar=daily\n")
    found = wrong(folder, "overlay/base/opt/x", "#!/bin/sh\necho $1\n")
    assert [code for code, _ in found] == [Code.CONTAINERFILE_RULE, Code.OVERLAY_PATH, Code.IMAGE_UNIT, Code.IMAGE_SCRIPT]


def test_no_tool_no_build(folder: ImageFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build that was not checked would be worse than none."""
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(LabError) as caught:
        folder.check()
    assert str(caught.value) == "systemd-analyze is not installed: install systemd"


def test_what_counts_as_content(folder: ImageFolder) -> None:
    for name in ("base.lock", "ci/github.yml"):
        (folder.root / name).parent.mkdir(exist_ok=True)
        (folder.root / name).write_text("x")
    (folder.root / "overlay/more/etc/link").symlink_to("/usr/lib/x")
    assert [(name, executable) for name, executable, _ in folder.files()] == [
        ("Containerfile", False),
        ("overlay/base/usr/libexec/zerotoil/list-packages.sh", True),
        ("overlay/more/etc/link", False),
        ("overlay/more/etc/motd", False),
    ]


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(LabError) as caught:
        ImageFolder(tmp_path).check()
    assert caught.value.code is Code.IMAGE_FOLDER
    assert str(caught.value) == (
        f"{tmp_path}/Containerfile cannot be read (No such file or directory): "
        "zerotoil image init writes one; another folder: --directory"
    )
    with pytest.raises(LabError) as caught:
        _ = ImageFolder(tmp_path).base
    assert str(caught.value) == f"{tmp_path}/base.lock is not there: run zerotoil image pin"


def test_a_stage_that_is_not_there(folder: ImageFolder) -> None:
    with pytest.raises(LabError, match=r"has no stage k3s: it has base, more$") as caught:
        folder.check_variant("k3s")
    assert caught.value.code is Code.IMAGE_FOLDER
