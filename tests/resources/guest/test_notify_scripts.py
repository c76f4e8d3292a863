"""The guest's own scripts, run for real: sh, jq and curl against servers on loopback, below $ZEROTOIL_ROOT."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import make_spec
from tests.sinks import FakeSink
from zerotoil.model.notify import EVENTS
from zerotoil.model.secret import Secret
from zerotoil.resources.guest.notify import guest_files

DATE = '#!/bin/sh\nexec /bin/date -d "now + $(/bin/cat {offset}) seconds" "$@"\n'
LOG = '#!/bin/sh\necho "${{0##*/}} $*" >>{log}\n{more}\n'
PHONES = "+4915112345678/+4915187654321"


class Host:
    """A guest below `root`, with a clock that can be set forward and stand-ins for systemctl, journalctl and df."""

    def __init__(self, root: Path, sinks: list[str], **keys: Any) -> None:
        self.root, self.fake, self.log = root, root / "fake", root / "log"
        self.fake.mkdir()
        self.log.touch()
        self.spec = make_spec("docker1", notify_sinks=[Secret(url) for url in sinks], **keys)
        for file in guest_files(self.spec):
            path = root / file.path.lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            assert isinstance(file.content, str)
            path.write_text(file.content)
            path.chmod(file.mode)
        self.base = root / "var/mnt/data/zerotoil/notify"
        self.later(0)
        self.program("date", DATE.format(offset=root / "offset"))
        self.program("systemctl", LOG.format(log=self.log, more='[ "$1" != show ] || echo Result=exit-code'))
        self.program("journalctl", LOG.format(log=self.log, more='echo "line one"; echo "broken: \\"x\\""'))

    def program(self, name: str, text: str) -> None:
        path = self.fake / name
        path.write_text(text)
        path.chmod(0o755)

    def later(self, seconds: int) -> None:
        (self.root / "offset").write_text(str(seconds))

    def line(self, *arguments: str) -> list[str]:
        return ["sh", str(self.root / "var/mnt/data/zerotoil/bin/notify.sh"), *arguments]

    def env(self, **more: str) -> dict[str, str]:
        return {**os.environ, "ZEROTOIL_ROOT": str(self.root), "PATH": f"{self.fake}:{os.environ['PATH']}", **more}

    def run(self, *arguments: str, text: str | bytes = "", **env: str) -> subprocess.CompletedProcess[str]:
        given = text.encode() if isinstance(text, str) else text
        done = subprocess.run(
            self.line(*arguments), input=given, capture_output=True, timeout=60, env=self.env(**env), start_new_session=True
        )
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    def queue(self) -> list[dict[str, Any]]:
        return [json.loads(path.read_text()) for path in sorted((self.base / "queue").glob("*.json"))]


Make = Callable[..., Host]


@pytest.fixture
def other(stack: ExitStack) -> FakeSink:
    return stack.enter_context(FakeSink())


@pytest.fixture
def make(tmp_path: Path) -> Make:
    return lambda *sinks, **keys: Host(tmp_path, list(sinks), **keys)


def signal_url(sink: FakeSink, more: str = "") -> str:
    return f"signal://{sink.place}/{PHONES}?disabletls=yes{more}"


def generic_url(sink: FakeSink) -> str:
    return f"generic://{sink.place}/hook?disabletls=yes"


def test_a_message_arrives_on_signal(make: Make, sink: FakeSink) -> None:
    host = make(signal_url(sink))
    done = host.run("update-failed", "atuin", text="pull: no such tag\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    (taken,) = sink.taken
    assert taken.path == "/v2/send"
    assert taken.body == {
        "message": "docker1: update failed: atuin\npull: no such tag",
        "number": "+4915112345678",
        "recipients": ["+4915187654321"],
    }
    assert host.queue() == []
    assert not list((host.root / "run").iterdir()), "the work folder is gone"


TEXTS = [
    'quotes " and \' and `backticks` $(touch /tmp/x) \\n \\" %s',
    "two\nlines\tand a tab",
    "Grüße, 日本語, 🚀, e\u0301",
    "{\"json\": [1, 'x']}",
    "-n --help @file",
    "",
]


@pytest.mark.parametrize("text", TEXTS)
def test_any_text_arrives_as_it_was(make: Make, sink: FakeSink, text: str) -> None:
    host = make(generic_url(sink))
    host.run("missing", 'app "x" \\ $HOME', text=text)
    (body,) = sink.messages
    assert (body["message"], body["subject"], body["event"], body["host"]) == (text, 'app "x" \\ $HOME', "missing", "docker1")
    assert body["title"] == 'docker1: missing: app "x" \\ $HOME'


def test_what_is_no_text_is_made_one(make: Make, sink: FakeSink) -> None:
    host = make(generic_url(sink))
    host.run("missing", "one\ntwo", text=b"a\x00b\xff\x1b[31mred\x1b[0m\r\n" + b"x" * 200_000)
    (body,) = sink.messages
    assert body["subject"] == "one two"
    assert body["message"].startswith("ab\ufffdred\nxxx") and body["message"].endswith("x…")
    assert len(body["message"]) == 3000


def test_no_secret_in_arguments_or_environment(make: Make, sink: FakeSink) -> None:
    """Looked at from the other side, while curl runs."""
    host = make(f"signal://me:hunter2@{sink.place}/{PHONES}?disabletls=yes", f"gotify://{sink.place}/tOken.99?disabletls=yes")
    host.run("updated", "atuin")
    signal_taken, gotify_taken = sink.taken
    assert signal_taken.headers["Authorization"] == "Basic bWU6aHVudGVyMg=="
    assert gotify_taken.headers["X-Gotify-Key"] == "tOken.99"
    for taken in sink.taken:
        assert "curl -q --config -" in taken.processes
        assert not any(secret in taken.processes for secret in ("hunter2", "tOken.99", "+4915112345678", "bWU6aHVu"))
    files = [path for path in host.root.rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]
    assert files == [host.base / "sinks.json"]
    assert files[0].stat().st_mode & 0o777 == 0o600


def test_a_dead_sink_gets_it_when_it_lives_again(make: Make, sink: FakeSink) -> None:
    host = make(signal_url(sink))
    sink.die()
    done = host.run("rolled-back", "atuin", text="old image")
    assert done.returncode == 0
    assert "nothing answers there" in done.stderr and "rolled-back atuin: waits for a sink" in done.stderr
    (waits,) = host.queue()
    assert (waits["title"], waits["done"]) == ("docker1: rolled back: atuin", [])
    assert "systemctl" not in host.log.read_text()
    host.run("flush")
    assert "systemctl" not in host.log.read_text(), "the timer goes on while something waits"
    sink.live()
    host.run("flush")
    assert [body["message"] for body in sink.messages] == ["docker1: rolled back: atuin\nold image"]
    assert host.queue() == []
    assert host.log.read_text() == "systemctl stop --no-block zerotoil-notify-flush.timer\n"


def test_a_live_sink_is_not_told_twice_for_the_sake_of_a_dead_one(make: Make, sink: FakeSink, other: FakeSink) -> None:
    host = make(signal_url(sink), generic_url(other))
    other.die()
    for app in ("one", "two"):
        host.run("updated", app)
    host.run("flush")
    assert [len(message["done"]) for message in host.queue()] == [1, 1]
    other.live()
    host.run("flush")
    host.run("flush")
    assert [body["message"] for body in sink.messages] == ["docker1: updated: one", "docker1: updated: two"]
    assert [body["subject"] for body in other.messages] == ["one", "two"]
    assert host.queue() == []


def test_a_sink_that_refuses_one_message_still_gets_the_next(make: Make, sink: FakeSink) -> None:
    host = make(generic_url(sink))
    sink.status = 400
    done = host.run("updated", "one")
    assert "HTTP 400" in done.stderr
    host.run("updated", "two")
    sink.status = 302
    host.run("flush")
    assert len(host.queue()) == 2, "a redirect is no delivery"
    sink.status = 200
    host.run("flush")
    assert [body["subject"] for body in sink.messages] == ["one", "two"]


def test_a_message_that_is_refused_is_tried_once_at_a_time(make: Make, sink: FakeSink) -> None:
    host = make(generic_url(sink))
    sink.status = 400
    assert host.run("updated", "one").stderr.count("HTTP 400") == 1


def test_a_sink_that_refuses_is_left_alone_after_three(make: Make, sink: FakeSink) -> None:
    host = make(generic_url(sink))
    sink.status = 500
    for number in range(6):
        host.run("updated", str(number))
    done = host.run("flush")
    assert done.stderr.count("HTTP 500") == 3


def test_the_same_is_told_once_within_the_time(make: Make, sink: FakeSink) -> None:
    host = make(generic_url(sink), notify_repeat="1 hour")
    for _ in range(3):
        done = host.run("missing", "atuin", text="gone")
    assert done.stderr == "notify: missing atuin: told already\n"
    host.run("missing", "synapse")
    host.run("unhealthy", "atuin")
    host.later(3601)
    host.run("missing", "atuin", text="gone")
    assert [(body["event"], body["subject"]) for body in sink.messages] == [
        ("missing", "atuin"), ("missing", "synapse"), ("unhealthy", "atuin"), ("missing", "atuin"),
    ]  # fmt: skip
    assert sink.messages[-1]["message"] == "gone\n(2 more times since it was last told)"


def test_a_clock_that_went_back_silences_nothing(make: Make, sink: FakeSink) -> None:
    host = make(generic_url(sink))
    host.later(10**6)
    host.run("missing", "atuin")
    host.later(0)
    host.run("missing", "atuin")
    assert len(sink.messages) == 2


def test_only_declared_events_go_out_but_a_test_always_does(make: Make, sink: FakeSink) -> None:
    host = make(generic_url(sink), notify_events=["missing"])
    assert host.run("finished", "run").stderr == "notify: finished run: not among notify_events\n"
    assert sink.messages == []
    host.run("missing", "atuin")
    assert host.run("test").returncode == 0
    assert [body["event"] for body in sink.messages] == ["missing", "test"]


def test_the_vocabulary_is_the_inventorys(make: Make, sink: FakeSink) -> None:
    host = make(generic_url(sink), notify_events=list(EVENTS))
    assert all(host.run(event, "x").returncode == 0 for event in EVENTS)
    assert [body["event"] for body in sink.messages] == list(EVENTS)
    done = host.run("exploded", "x")
    assert (done.returncode, done.stderr.startswith("notify: exploded is no event; the events are updated")) == (64, True)


def test_a_flood_is_summed_up_in_one_message(make: Make, sink: FakeSink) -> None:
    host = make(generic_url(sink), notify_burst=3)
    for number in range(8):
        host.run("unhealthy", f"app{number}")
    assert [body["subject"] for body in sink.messages] == ["app0", "app1", "app2"]
    host.run("flush")
    assert len(sink.messages) == 3
    assert "systemctl" not in host.log.read_text()
    host.later(3601)
    host.run("flush")
    summary = sink.messages[-1]
    assert len(sink.messages) == 4
    assert summary["title"] == "docker1: 5 more messages"
    assert (
        summary["message"]
        == (
            "More than 3 messages came within an hour. These were held back:\n"
            + "".join(f"- unhealthy: app{n}\n" for n in range(3, 8))
        ).rstrip("\n")
        + "\n"
    )
    assert host.queue() == []
    for number in range(8, 11):
        host.run("unhealthy", f"app{number}")
    assert len(sink.messages) == 6, "the summary counts as one of the hour's three"


def test_the_summary_survives_a_dead_sink_and_a_second_flood(make: Make, sink: FakeSink) -> None:
    host = make(generic_url(sink), notify_burst=1)
    for number in range(3):
        host.run("unhealthy", f"app{number}")
    sink.die()
    host.later(3601)
    host.run("flush")
    host.run("unhealthy", "app3")
    assert [message["title"] for message in host.queue()] == ["docker1: 2 more messages", "docker1: 1 more message"]
    sink.live()
    host.later(7300)
    host.run("flush")
    assert [body["title"] for body in sink.messages[1:]] == ["docker1: 2 more messages", "docker1: 1 more message"]


def test_the_queue_is_capped_and_the_next_message_says_so(make: Make, sink: FakeSink) -> None:
    host = make(generic_url(sink), notify_burst=1000)
    script = host.root / "var/mnt/data/zerotoil/bin/notify.sh"
    script.write_text(script.read_text().replace("most=100 ", "most=3 "))
    sink.die()
    for number in range(6):
        host.run("updated", f"app{number}")
    assert [message["subject"] for message in host.queue()] == ["app3", "app4", "app5"]
    sink.live()
    host.run("flush")
    assert sink.messages[-1]["message"] == "(3 older messages lost: no sink took them in time)"
    host.run("updated", "app6")
    assert sink.messages[-1]["message"] == "", "said once"


def test_what_no_sink_takes_for_a_week_is_given_up(make: Make, sink: FakeSink) -> None:
    host = make(generic_url(sink))
    sink.die()
    host.run("updated", "old")
    host.later(8 * 86400)
    host.run("flush")
    assert host.queue() == []


def test_kill_9_at_any_moment_loses_nothing_and_breaks_nothing(make: Make, sink: FakeSink) -> None:
    """The process group is killed after ever longer times; what was queued arrives, at most one of them twice per kill."""
    host = make(generic_url(sink), notify_burst=1000)
    killed = 0
    for number in range(30):
        process = subprocess.Popen(
            host.line("updated", f"app{number}"),
            env=host.env(),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(0.01 * number)
        killed += process.poll() is None
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
    assert killed > 5, "too fast to be killed on this machine"
    told = {message["subject"] for message in host.queue()} | {body["subject"] for body in sink.messages}
    done = host.run("flush")
    assert "cannot be read" not in done.stderr
    assert {body["subject"] for body in sink.messages} == told
    assert len(sink.messages) <= len(told) + killed
    assert host.queue() == []
    host.run("updated", "afterwards")
    assert sink.messages[-1]["subject"] == "afterwards"


DYING = """#!/bin/sh
PATH=/usr/bin:/bin # not itself
echo . >>{calls}
if [ "$(wc -l <{calls})" -eq "$(cat {at})" ]; then
  [ {name} != cat ] || head -c 20 "$1" # a torn write
  kill -9 0 # the whole process group: as if the power went
fi
exec {name} "$@"
"""


@pytest.mark.parametrize("at", range(1, 16))
def test_a_power_cut_in_the_middle_of_a_write(make: Make, sink: FakeSink, other: FakeSink, at: int) -> None:
    """The script dies at the nth time that it writes something, in the middle of it."""
    host = make(generic_url(sink), generic_url(other))
    other.die()
    host.run("updated", "before")
    assert [message["done"] for message in host.queue()] == [[json.loads((host.base / "sinks.json").read_text())[0]["id"]]]
    calls, number = host.root / "calls", host.root / "at"
    calls.touch()
    number.write_text(str(at))
    for name in ("cat", "sync", "mv"):
        host.program(name, DYING.format(calls=calls, at=number, name=name))
    died = host.run("updated", "during").returncode == -signal.SIGKILL
    assert died or len(calls.read_text().splitlines()) < at
    for name in ("cat", "sync", "mv"):
        (host.fake / name).unlink()
    queued = {message["subject"] for message in host.queue()}
    assert "before" in queued
    other.live()
    host.later(60)
    done = host.run("flush")
    assert "cannot be read" not in done.stderr
    assert host.queue() == []
    assert {body["subject"] for body in other.messages} == queued
    assert [body["subject"] for body in sink.messages].count("before") == 1
    assert [body["subject"] for body in sink.messages].count("during") <= 2, "once more if the power went as it was noted"
    host.run("updated", "after")
    assert sink.messages[-1]["subject"] == other.messages[-1]["subject"] == "after"


def test_a_message_that_waits_outlives_a_torn_state(make: Make, sink: FakeSink) -> None:
    host = make(generic_url(sink))
    sink.die()
    host.run("updated", "one")
    (host.base / "state.json").write_text('{"seen": {"x')
    (host.base / "queue/summary.json").write_text("")
    (host.base / "queue/1.json").write_text("")
    sink.live()
    host.run("updated", "two")
    host.run("flush")
    assert [body["subject"] for body in sink.messages] == ["one", "two"]
    assert host.queue() == []


def test_nothing_is_thrown_away_while_the_sinks_cannot_be_read(make: Make, sink: FakeSink) -> None:
    host = make(generic_url(sink))
    sinks = host.base / "sinks.json"
    right = sinks.read_text()
    sinks.write_text("[{")
    assert "cannot be read; nothing is sent" in host.run("updated", "one").stderr
    sinks.write_text(right)
    host.run("flush")
    assert [body["subject"] for body in sink.messages] == ["one"]


def test_a_sink_that_is_not_declared_any_more_holds_nothing_back(make: Make, sink: FakeSink, other: FakeSink) -> None:
    host = make(generic_url(sink), generic_url(other))
    other.die()
    host.run("updated", "one")
    sinks = host.base / "sinks.json"
    sinks.write_text(json.dumps(json.loads(sinks.read_text())[:1]))
    host.run("flush")
    assert host.queue() == []


def test_a_full_disk_still_gets_the_message_out(make: Make, sink: FakeSink) -> None:
    host = make(generic_url(sink))
    host.program("mktemp", '#!/bin/sh\ncase $* in *.draft.*) echo "No space left" >&2; exit 1 ;; esac\nexec /bin/mktemp "$@"\n')
    assert host.run("disk-filling", "/var/mnt/data").returncode == 0
    assert [body["event"] for body in sink.messages] == ["disk-filling"]
    assert host.queue() == []


def test_two_at_once(make: Make, sink: FakeSink) -> None:
    host = make(generic_url(sink))
    both = [subprocess.Popen(host.line("updated", f"app{n}"), env=host.env(), stdin=subprocess.DEVNULL) for n in range(5)]
    assert [process.wait(60) for process in both] == [0] * 5
    assert sorted(body["subject"] for body in sink.messages) == [f"app{n}" for n in range(5)]
    assert len(json.loads((host.base / "state.json").read_text())["sent"]) == 5


def test_the_test_names_each_sink(make: Make, sink: FakeSink, other: FakeSink) -> None:
    host = make(signal_url(sink), generic_url(other))
    done = host.run("test", "from the laptop", text="hello")
    assert done.returncode == 0
    assert [line.split("-")[0] for line in done.stdout.splitlines()] == ["ok signal", "ok generic"]
    assert sink.messages[0]["message"] == "docker1: test: from the laptop\nhello"
    other.die()
    done = host.run("test", "from the laptop")
    assert done.returncode == 1
    assert done.stdout.splitlines()[1].endswith(" nothing answers there") and done.stdout.splitlines()[1].startswith(
        "failed generic-"
    )
    assert host.queue() == [], "a test is not sent later"
    assert sink.messages[1]["message"].endswith("A test: messages of this host arrive here.")


def test_a_failed_unit_is_told_with_its_last_lines(make: Make, sink: FakeSink) -> None:
    host = make(generic_url(sink))
    assert host.run("failed", "zerotoil-app@atuin.service", MONITOR_INVOCATION_ID="abc").returncode == 0
    host.run("failed", "backup-failed:zerotoil-backup.service")
    first, second = sink.messages
    assert (first["event"], first["subject"]) == ("unhealthy", "zerotoil-app@atuin.service")
    assert first["message"] == 'Result=exit-code \nline one\nbroken: "x"'
    assert (second["event"], second["subject"]) == ("backup-failed", "zerotoil-backup.service")
    asked = host.log.read_text().splitlines()
    assert asked[1] == "journalctl --quiet --no-pager --output=cat --lines=15 _SYSTEMD_INVOCATION_ID=abc"
    assert asked[3].endswith("--unit=zerotoil-backup.service")


def test_a_disk_that_fills_up(make: Make, sink: FakeSink) -> None:
    host = make(generic_url(sink))
    lines = "Mounted Use% IUse% Avail\\n/var/mnt/data 91% 3% 1.8G\\n/var 12% 95% 20G\\n/var/mnt/data 91% 3% 1.8G\\n"
    host.program("df", f"#!/bin/sh\nprintf '{lines.replace('%', '%%')}'\n")
    watch = [*host.line()[:-1], str(host.root / "var/mnt/data/zerotoil/bin/notify-watch.sh")]
    for _ in range(2):
        assert subprocess.run(watch, env=host.env(), timeout=60).returncode == 0
    told = {body["subject"]: body["message"].splitlines()[0] for body in sink.messages}
    assert told == {
        "/var/mnt/data": "91 % of the space of /var/mnt/data is used; 1.8G are free.",
        "/var": "95 % of the inodes of /var is used; 20G are free.",
    }
    assert len(sink.messages) == 2, "told once, though looked at twice"


def test_df_of_this_machine_can_be_read(make: Make, sink: FakeSink) -> None:
    host = make(generic_url(sink))
    host.program("df", '#!/bin/sh\nexec /bin/df "$1" "$2" /\n')
    watch = host.root / "var/mnt/data/zerotoil/bin/notify-watch.sh"
    watch.write_text(watch.read_text().replace("limit=90", "limit=-1"))
    assert subprocess.run(["sh", str(watch)], env=host.env(), timeout=60).returncode == 0
    assert [body["subject"] for body in sink.messages] == ["/"]


def test_without_sinks_there_is_nothing_and_nothing_breaks(make: Make) -> None:
    host = make()
    assert guest_files(host.spec) == []
    script = Path(__file__).parents[3] / "src/zerotoil/resources/guest/scripts/notify.sh"
    done = subprocess.run(
        ["sh", str(script), "updated", "x"], env=host.env(), stdin=subprocess.DEVNULL, capture_output=True, timeout=20
    )
    assert (done.returncode, done.stderr) == (0, b"notify: no sink is declared\n")


def test_shellcheck_finds_nothing() -> None:
    if not shutil.which("shellcheck"):
        pytest.skip("shellcheck is not installed")
    scripts = (Path(__file__).parents[3] / "src/zerotoil/resources/guest/scripts").glob("notify*.sh")
    assert subprocess.run(["shellcheck", *map(str, scripts)], timeout=60).returncode == 0


def test_the_units_are_right(make: Make, sink: FakeSink) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    host = make(generic_url(sink))
    units = host.root / "var/mnt/data/zerotoil/units"
    names = sorted(path.name.replace("@.", "@x.") for path in units.iterdir())
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *names],
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{units}:"}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
