"""The layer OS of a host: it comes after the guest's own, goes when it is declared no more, and is told of in the plan."""

from pathlib import Path
from typing import Any

import pytest

from tests.layers.conftest import PretendLab
from tests.resources.guest.os_guest import IMAGE, STATE, Machine, seen
from zerotoil.error_codes import Code
from zerotoil.layers import Site
from zerotoil.layers import notices as noticed
from zerotoil.layers.check import check
from zerotoil.layers.plan import LabPlan, plan_lab
from zerotoil.resources.resource import Kind

KEY = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n"


@pytest.fixture
def machine(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path_factory.mktemp("guest"), monkeypatch)


def at(lab: PretendLab, machine: Machine, **keys: Any) -> Site:
    """The host, with this guest."""
    site = lab.site(**keys)
    site.shell = machine.shell
    return site


def planned(site: Site) -> LabPlan:
    site.nas.forget()
    site.hypervisor.forget()
    return plan_lab([site])


def test_it_comes_after_the_guest_and_goes_when_it_is_declared_no_more(lab: PretendLab, machine: Machine) -> None:
    key = lab.folder / "keys/cosign.pub"
    key.parent.mkdir()
    key.write_text(KEY)
    wish = {"os_source": IMAGE, "os_signature_key": "keys/cosign.pub"}
    made = [change.resource for change in lab.apply(at(lab, machine, **wish))]
    assert made.index("OS updates") > made.index("own files")
    assert (machine.data / "zerotoil/os/cosign.pub").read_text() == KEY
    assert machine.observed()["booted"]["image"] == f"ostree-image-signed:docker://{IMAGE}"
    assert planned(at(lab, machine, **wish)).exit_code == 0
    gone = at(lab, machine)
    assert [change.field for host in planned(gone).hosts for change in host.changes if change.resource == "OS updates"] == [
        "looked after"
    ]
    lab.apply(at(lab, machine))
    assert planned(at(lab, machine)).exit_code == 0


def test_a_host_that_declares_nothing_has_nothing_of_it(lab: PretendLab) -> None:
    site = lab.site()
    lab.apply(site)
    assert [resource.key for resource in site.os_resources()] == []
    assert not any("zerotoil/os/os.sh" in script and "install_file" in script for script in lab.guests["matrix"])


@pytest.mark.parametrize(
    ("content", "said", "code"),
    [
        (None, "nosuch.pub cannot be read (No such file or directory): write the path of a file", Code.FILE_UNREADABLE),
        (
            "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----",
            "nosuch.pub holds no public key: name the cosign.pub that `cosign generate-key-pair` has written, never cosign.key",
            Code.OS_NO_KEY,
        ),
    ],
)  # fmt: skip
def test_a_key_that_cannot_be_used_is_said_by_check_and_plan(
    lab: PretendLab, machine: Machine, content: str | None, said: str, code: Code
) -> None:
    if content:
        (lab.folder / "nosuch.pub").write_text(content)
    site = at(lab, machine, os_source=IMAGE, os_signature_key="nosuch.pub")
    (problem,) = [problem for problem in check([site]) if problem.key == "os_signature_key"]
    assert (problem.what.replace(f"{lab.folder}/", ""), problem.code) == (said, code)
    (host,) = planned(site).hosts
    (error,) = [error for layer in host.layers if layer.title == "OS" for error in layer.problems]
    assert (str(error).replace(f"{lab.folder}/", ""), error.code) == (f"matrix: os_signature_key {said}", code)


def test_the_plan_tells_what_is_newer_than_what_runs(lab: PretendLab, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(noticed, "newest_release", lambda _os: "45")
    wish = {"os_strategy": "immediate"}
    lab.apply(at(lab, machine, **wish))
    machine.now(state={**STATE, "updated": 4e9, "checked": 4e9})
    (host,) = planned(at(lab, machine, **wish)).hosts
    assert [str(notice) for notice in host.notices if notice.kind is Kind.UPDATE] == [
        "OS of matrix: update available: 43 -> 45; it comes at once (zerotoil os status matrix)"
    ]
    machine.now(staged={**seen()["booted"], "version": "45", "checksum": "c1"})
    (host,) = planned(at(lab, machine, **wish)).hosts
    assert [notice.what for notice in host.notices if notice.kind is Kind.UPDATE] == ["43 -> 45 is staged; it comes at once"]


def test_a_lost_connection_is_given_up(lab: PretendLab, machine: Machine, tmp_path: Path) -> None:
    site = at(lab, machine, os_source=IMAGE)
    site.reconnect = lambda: None
    (resource,) = site.os_resources()
    assert vars(resource)["reconnect"] is site.reconnect
