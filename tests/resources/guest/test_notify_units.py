"""The units under a real systemd (a user manager in a mount namespace of its own): what wakes up, and when."""

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.mounts import own_mounts
from tests.resources.guest.test_notify_scripts import Host, generic_url
from tests.sinks import FakeSink

SYSTEMD = Path("/lib/systemd/systemd")
MANAGER = """
mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system /run/user && chmod 700 /run/user
export XDG_RUNTIME_DIR=/run/user SYSTEMD_LOG_TARGET=console SYSTEMD_UNIT_PATH={units}:
timeout 100 {systemd} --user --unit=basic.target >{log} 2>&1 &
while [ ! -e {stop} ]; do
  for command in {commands}/*.sh; do
    [ -e "$command" ] || continue
    sh "$command" >"${{command%.sh}}.said" 2>&1
    mv "$command" "${{command%.sh}}.done"
  done
  sleep 0.1
done
kill %1
wait
"""


class Manager:
    """`systemctl` runs a command under the manager and gives what it printed."""

    def __init__(self, commands: Path) -> None:
        self.commands, self.number = commands, 0

    def systemctl(self, *arguments: str) -> str:
        self.number += 1
        name = self.commands / f"{self.number:03}"
        name.with_suffix(".draft").write_text(f"/bin/systemctl --user {' '.join(arguments)}\n")
        name.with_suffix(".draft").rename(name.with_suffix(".sh"))
        eventually(lambda: name.with_suffix(".done").exists())
        return name.with_suffix(".said").read_text().strip()


def eventually(true: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def host(tmp_path: Path, sink: FakeSink) -> Host:
    """With the shipped units, but for their paths, and seconds for minutes."""
    host, units = Host(tmp_path, [generic_url(sink)]), tmp_path / "units"
    units.mkdir()
    for path in (tmp_path / "var/mnt/data/zerotoil/units").iterdir():
        text = path.read_text().replace("/var/mnt/data", str(tmp_path / "var/mnt/data"))
        text = text.replace("OnCalendar=minutely", "OnCalendar=*:*:0/3").replace("AccuracySec=10s", "AccuracySec=100ms")
        env = f"[Service]\nEnvironment=ZEROTOIL_ROOT={tmp_path} PATH={host.fake}:/usr/bin:/bin\n"
        (units / path.name).write_text(text.replace("[Service]\n", env))
    (units / "broken.service").write_text(
        "[Unit]\nOnFailure=zerotoil-notify@update-failed:%n.service\n[Service]\nType=oneshot\nExecStart=/bin/false\n"
    )
    host.program("systemctl", f'#!/bin/sh\necho "$*" >>{host.log}\nexec /bin/systemctl --user "$@"\n')
    return host


@pytest.fixture
def manager(host: Host) -> Iterator[Manager]:
    own_mounts()
    if not SYSTEMD.exists():
        pytest.skip("needs systemd")
    commands, stop = host.root / "commands", host.root / "stop"
    commands.mkdir()
    text = MANAGER.format(
        units=host.root / "units", systemd=SYSTEMD, log=host.root / "systemd.log", stop=stop, commands=commands
    )  # fmt: skip
    process = subprocess.Popen(["unshare", "--mount", "bash", "-c", text])
    made = Manager(commands)
    try:
        eventually(lambda: made.systemctl("is-system-running") in ("running", "degraded", "starting"))
        yield made
    finally:
        stop.touch()
        process.wait(30)


@pytest.mark.lab
def test_only_a_message_that_waits_wakes_the_machine(host: Host, sink: FakeSink, manager: Manager) -> None:
    def timer() -> str:
        return manager.systemctl("is-active", "zerotoil-notify-flush.timer")

    assert manager.systemctl("start", "zerotoil-notify-flush.path") == ""
    assert timer() == "inactive"
    sink.die()
    host.run("missing", "atuin")
    eventually(lambda: timer() == "active")
    time.sleep(7)
    assert timer() == "active", "it goes on as long as something waits"
    assert "stop" not in host.log.read_text()
    sink.live()
    eventually(lambda: len(sink.messages) == 1)
    eventually(lambda: timer() == "inactive")
    assert manager.systemctl("is-active", "zerotoil-notify-flush.path") == "active"
    sink.die()
    host.run("missing", "synapse")
    eventually(lambda: timer() == "active")  # the path unit watches again


@pytest.mark.lab
def test_a_unit_that_fails_is_told(host: Host, sink: FakeSink, manager: Manager) -> None:
    assert "failed" in manager.systemctl("start", "broken.service")
    eventually(lambda: len(sink.messages) == 1)
    (body,) = sink.messages
    assert (body["event"], body["subject"]) == ("update-failed", "broken.service")
    assert body["message"].startswith("Result=exit-code ExecMainStatus=1")
    name = "zerotoil-notify@update-failed:broken.service.service"
    eventually(
        lambda: manager.systemctl("show", "--property=ActiveState,Result", "--value", name).split() == ["success", "inactive"]
    )
