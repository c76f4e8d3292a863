"""How a plan looks: each value as people write it, of a mapping only what differs."""

import pytest

from zerotoil.cli.plan_view import show
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers.plan import HostPlan, LabPlan, LayerPlan
from zerotoil.resources.resource import Action, Change, Kind, Notice, Risk


def printed(capsys: pytest.CaptureFixture[str], host: HostPlan, verbose: bool = False) -> list[str]:
    show(LabPlan([host]), verbose)
    return capsys.readouterr().out.splitlines()


def changed(field: str, before: object, after: object, risk: Risk = Risk.SAFE) -> Change:
    return Change("container watchtower", Action.UPDATE, field, before, after, risk)


def test_only_what_differs_of_a_mapping_and_lists_without_brackets(capsys: pytest.CaptureFixture[str]) -> None:
    changes = (
        changed("environment", {"TZ": "UTC", "A": "1"}, {"TZ": "Europe/London", "A": "1"}),
        changed("mounts", [], ["/a:/a", "/b:/b"], Risk.RESTART),
        changed("security options", ["x"], []),
    )
    assert printed(capsys, HostPlan("matrix", (LayerPlan("guest", changes),))) == [
        "matrix",
        "  guest",
        "    ~ container watchtower",
        "        environment TZ  UTC → Europe/London",
        "        mounts  nothing → /a:/a, /b:/b  with a restart",
        "        security options  x → nothing",
        "",
        "1 host: 1 to change",
    ]


def test_a_vm_gets_a_change_at_its_next_start_and_a_container_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    memory = Change("VM matrix", Action.UPDATE, "memory", "1 GiB", "2 GiB", Risk.RESTART)
    file = Change("app web", Action.UPDATE, "file a.conf", "1", "2", Risk.RESTART)
    host = HostPlan("matrix", (LayerPlan("hypervisor", (memory,)), LayerPlan("apps", (file,))))
    assert printed(capsys, host) == [
        "matrix",
        "  hypervisor",
        "    ~ VM matrix",
        "        memory  1 GiB → 2 GiB  at the next start",
        "  apps",
        "    ~ app web",
        "        file a.conf  1 → 2  with a restart",
        "",
        "1 host: 2 to change (1 at the next start of their VM)",
    ]


def test_what_would_be_made_is_brief_unless_asked(capsys: pytest.CaptureFixture[str]) -> None:
    made = [("size", "1 GiB"), ("text", "one\ntwo\n"), ("nothing", ""), ("environment", {"TZ": "UTC", "A": "1"})]
    changes = tuple(Change("zvol x", Action.CREATE, name, None, value) for name, value in made)
    host = HostPlan("matrix", (LayerPlan("NAS", changes),))
    assert printed(capsys, host)[2:4] == [
        "    + zvol x",
        "        size 1 GiB, text (2 lines), nothing nothing, environment TZ=UTC, A=1",
    ]
    assert printed(capsys, host, verbose=True)[3:10] == [
        "        size  1 GiB",
        "        text",
        "          @@ -0,0 +1,2 @@",
        "          +one",
        "          +two",
        "        nothing  nothing",
        "        environment  TZ=UTC, A=1",
    ]


def test_problems_and_notices_stand_below_the_changes(capsys: pytest.CaptureFixture[str]) -> None:
    problem = LabError("the NAS is away", "wait", code=Code.NAS_UNREACHABLE)
    config = changed("config", "a\nb", "a\nc")
    notice = Notice("VM matrix", Kind.REPROVISION, "its config changed", "zerotoil rebuild matrix", (config,))
    host = HostPlan("matrix", (LayerPlan("NAS", problems=(problem, problem)),), (notice,))
    assert printed(capsys, host) == [
        "matrix",
        "  ? the NAS is away: wait [ZT201]",
        "  i VM matrix: reprovision needed: its config changed",
        "        config: 2 lines differ",
        "        bring it about: zerotoil rebuild matrix",
        "",
        "1 host: nothing to change; 1 to know about; 1 host could not be read",
    ]
    assert "          -b" in printed(capsys, host, verbose=True)


def test_a_converged_lab_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, HostPlan("matrix")) == ["1 host: nothing to change"]
