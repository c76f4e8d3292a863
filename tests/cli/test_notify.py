"""`zerotoil notify test` as a person runs it: a line per path, exit codes, and no secret on the screen."""

from pathlib import Path

import pytest

from tests.cli.test_plan_and_apply import project, sim, zerotoil  # noqa: F401
from tests.sinks import FakeSink
from tests.smtp import FakeSmtp
from zerotoil.minilab.nas import Simulator


@pytest.fixture
def lab(project: Path, sink: FakeSink) -> Path:  # noqa: F811
    """Two hosts, one sink in a file."""
    url = project / "signal-url"
    url.write_text(f"signal://me:hunter2@{sink.place}/+4915112345678/+4915187654321?disabletls=yes\n")
    url.chmod(0o600)
    inventory = project / "lab.py"
    inventory.write_text(
        inventory.read_text().replace(
            '"vm_boot_timeout"', f'"watchtower_enabled": False, "notify_sinks": ["file:{url}"], "vm_boot_timeout"'
        )
    )
    return project


def test_a_line_per_path(lab: Path, sink: FakeSink) -> None:
    done = zerotoil(lab, "notify", "test", "-i", "lab.py")
    name = f"notify_sinks[0] (file:{lab}/signal-url)"
    assert done.stdout.splitlines() == [
        f"this machine -> {name}: ok",
        "one -> notify_sinks: failed: one: the VM has no address yet: is DHCP answering on its network? [ZT401]",
        "two -> notify_sinks: failed: two: the VM has no address yet: is DHCP answering on its network? [ZT401]",
    ]
    assert (done.returncode, done.stderr) == (1, "")
    assert len(sink.messages) == 1
    assert "hunter2" not in done.stdout


def test_one_host_of_the_inventories_at_hand(lab: Path) -> None:
    (lab / "inventory").mkdir()
    (lab / "lab.py").rename(lab / "inventory/lab.py")
    done = zerotoil(lab, "notify", "test", "two")
    assert [line.split(" -> ")[0] for line in done.stdout.splitlines()] == ["this machine", "two"]
    assert zerotoil(lab, "notify", "test", "three").stderr.startswith("no inventory has a host three: known: one, two")
    assert len(zerotoil(lab, "notify", "test").stdout.splitlines()) == 3


def test_exit_0_when_all_that_is_declared_works(project: Path, sim: Simulator) -> None:  # noqa: F811
    inventory = project / "lab.py"
    with FakeSmtp() as smtp:
        mail = f'"nas_mail_server": "127.0.0.1", "nas_mail_port": {smtp.port}, "nas_mail_from": "nas@home.lan"'
        text = inventory.read_text().replace('"vm_boot_timeout"', f'{mail}, "nas_alert_mail": "me@home.lan", "vm_boot_timeout"')
        inventory.write_text(text)
        done = zerotoil(project, "notify", "test", "-i", "lab.py")
        assert (done.returncode, "is not as declared yet" in done.stdout) == (1, True)
        planned = zerotoil(project, "plan", "lab.py", "--layer", "NAS").stdout
        assert planned.count("mail settings") == planned.count("alert service 'zerotoil lab'") == 2
        sim.nas.state.data["mail"] |= {"outgoingserver": "127.0.0.1", "port": smtp.port, "fromemail": "nas@home.lan"}
        service = {"name": "zerotoil lab", "type": "Mail", "attributes": {"email": "me@home.lan"}, "level": "WARNING"}
        sim.nas.state.add("alertservice", {**service, "enabled": True})
        done = zerotoil(project, "notify", "test", "-i", "lab.py")
        assert (done.returncode, done.stdout.splitlines()[0]) == (0, "NAS -> me@home.lan: ok")
        assert len(smtp.mails) == 2


def test_nothing_declared_and_no_inventory(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:  # noqa: F811
    done = zerotoil(project, "notify", "test", "-i", "lab.py")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("nothing to test: no sink, ") and done.stderr.endswith("[ZT144]\n")
    done = zerotoil(tmp_path_factory.mktemp("empty"), "notify", "test")
    assert done.stderr == "there is no inventory here: name one with -i, or a host [ZT113]\n"


def test_check_looks_at_a_sink_whose_secret_is_here(lab: Path) -> None:
    assert zerotoil(lab, "check", "lab.py").returncode == 0
    (lab / "signal-url").write_text("signal://hunter2/+1\n")
    done = zerotoil(lab, "check", "lab.py")
    assert done.returncode == 1
    line = done.stderr.splitlines()[0]
    assert line.startswith("one: notify_sinks (from ") and "names no sender or no recipient" in line and line.endswith("[ZT140]")
    assert "hunter2" not in done.stderr
    (lab / "signal-url").unlink()
    assert zerotoil(lab, "check", "lab.py").returncode == 0, "elsewhere, in CI for instance, the secret need not be"
