"""The ledger: what ledger.sh writes down, run by a real shell with stand-ins for the engine, rpm-ostree, k3s and the clock."""

import json
import os
import shutil
import subprocess
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import make_spec
from zerotoil.model.night import fixed_times
from zerotoil.model.units import Cron
from zerotoil.render.quadlet import quadlets
from zerotoil.resources.guest.ledger import before_snapshots, guest_files
from zerotoil.resources.guest.own_files import own_files

SCRIPTS = resources.files("zerotoil.resources.guest") / "scripts"
NOON = 1795694400  # 2026-11-26T12:00:00Z
DAY = 86400
PODMAN = """#!/bin/sh
case "$1 $2" in
  'ps --all') jq -r '.[].Name' "$STATE/containers" ;;
  'container inspect') cat "$STATE/containers" ;;
  'image inspect') cat "$STATE/images" ;;
esac
"""
DOCKER = """#!/bin/sh
[ ! -e "$STATE/dead" ] || exit 7
for url; do :; done
case $url in
  http://docker/containers/json*) jq -c 'map({Id: .Name})' "$STATE/containers" ;;
  http://docker/containers/*) jq -c '.[]' "$STATE/containers" ;;
  http://docker/images/*) jq -c '.[]' "$STATE/images" ;;
esac
"""
OSTREE = """#!/bin/sh
echo "$@" >>"$STATE/ostree.log"
cat "$STATE/ostree"
"""
CLOCK = '#!/bin/sh\n[ "$*" != +%s ] || exec cat "$STATE/now"\nexec /bin/date "$@"\n'
# The power goes when a file is about to be renamed: it is written, perhaps half of it, and has no name yet.
CUT = '#!/bin/sh\ncase $1 in .draft.*) : >"$1"; printf \'{"time": "20\' >"$1"; exit 1 ;; esac\nexec /bin/sync "$@"\n'
DIGEST = "registry.lan/me/web@sha256:" + "a" * 64


class Host:
    """One host with the app `web`, whose folder is another one than /."""

    def __init__(self, root: Path, engine: str = "docker") -> None:
        self.root, self.engine, self.state = root, engine, root / "state"
        self.data = root / "var/mnt/data"
        self.tree, self.app = self.data / "zerotoil", self.data / "apps/web"
        for folder in (self.state, root / "bin", self.tree / "bin", root / "etc", self.app / ".zerotoil", root / "usr/local/bin"):
            folder.mkdir(parents=True)
        (root / "proc/sys/kernel/random").mkdir(parents=True)
        (root / "etc/os-release").write_text('NAME="Fedora"\nID=fedora\nVERSION_ID=44\nOSTREE_VERSION="44.20261101.3.0"\n')
        self.program(*{"docker": ("curl", DOCKER), "podman": ("podman", PODMAN)}[engine])
        self.program("date", CLOCK)
        (self.app / "compose.yaml").write_text("services: {}\n")
        (self.app / ".zerotoil/files").write_text("")
        (self.app / ".zerotoil/override.yaml").write_text("{}\n")
        for name in ("ledger.sh", "ledger-read.sh"):
            shutil.copy(str(SCRIPTS / name), self.tree / "bin" / name)
        self.env = {"PATH": f"{root / 'bin'}:{os.environ['PATH']}", "STATE": str(self.state), "ZEROTOIL_ROOT": str(root)}
        self.at(NOON)
        self.booted("b1")
        self.runs("1")

    def program(self, name: str, text: str) -> None:
        (self.root / "bin" / name).write_text(text)
        (self.root / "bin" / name).chmod(0o755)

    def at(self, seconds: int) -> None:
        (self.state / "now").write_text(f"{seconds}\n")

    def booted(self, boot: str) -> None:
        (self.root / "proc/sys/kernel/random/boot_id").write_text(f"{boot}\n")

    def runs(self, image: str, labels: dict[str, str] | None = None, name: str = "web-web-1") -> None:
        own = {"com.docker.compose.project": "web", "com.docker.compose.service": "web"} if labels is None else labels
        config = {"Image": "registry.lan/me/web:1", "Labels": own}
        item = {"Name": f"/{name}", "Image": f"sha256:{image}", "Config": config}
        (self.state / "containers").write_text(json.dumps([item]))
        digests = ["other.lan/x@sha256:0", DIGEST]
        (self.state / "images").write_text(json.dumps([{"Id": f"sha256:{image}", "RepoDigests": digests}]))

    def write(self, why: str = "deploy", code: int = 0) -> str:
        line = ["sh", str(self.tree / "bin/ledger.sh"), why]
        done = subprocess.run(line, env=self.env, capture_output=True, text=True, timeout=60)
        assert done.returncode == code, done.stderr
        return done.stderr

    def read(self) -> dict[str, Any]:
        line = ["sh", str(self.tree / "bin/ledger-read.sh")]
        done = subprocess.run(line, env=self.env, capture_output=True, text=True, timeout=60, check=True)
        return dict(json.loads(done.stdout))

    def names(self) -> list[str]:
        return sorted(path.name for path in (self.tree / "ledger").glob("*.json"))

    def entry(self, name: str) -> dict[str, Any]:
        return dict(json.loads((self.tree / "ledger" / f"{name}.json").read_text()))


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_a_host_of_k3s_has_its_version_and_docker_is_not_asked(host: Host) -> None:
    """The question would start Docker, by its socket."""
    host.program("curl", "#!/bin/sh\ntouch $STATE/asked\nexit 1\n")
    (host.tree / "k3s").mkdir()
    (host.tree / "k3s/k3s.sh").touch()
    k3s = host.root / "usr/local/bin/k3s"
    k3s.write_text("#!/bin/sh\necho 'k3s version v1.36.3+k3s1 (abc)'\n")
    k3s.chmod(0o755)
    host.write()
    found = host.entry("2026-11-26T12-00-00Z")
    assert (found["k3s"], found["containers"]) == ("v1.36.3+k3s1", [])
    assert not (host.state / "asked").exists()
    (host.tree / "k3s/bin").mkdir()
    k3s.rename(host.tree / "k3s/bin/k3s")  # the first boot of a new OS disk, before k3s was started
    host.write("boot")
    assert host.names()[-1].endswith(".same.json"), "the release is the same"


def test_an_entry_tells_what_runs(host: Host) -> None:
    host.program("rpm-ostree", OSTREE)
    booted = {"booted": True, "version": "44.1", "checksum": "c1", "origin": "fedora:stable", "container-image-reference": "ref"}
    (host.state / "ostree").write_text(json.dumps({"deployments": [{"booted": False, "version": "43"}, booted]}))
    k3s = host.root / "usr/local/bin/k3s"
    k3s.write_text("#!/bin/sh\necho 'k3s version v1.31.2+k3s1 (abc)'\necho 'go version go1.22'\n")
    k3s.chmod(0o755)
    (host.app / ".zerotoil/pins").write_text(f"web {DIGEST}\n")
    host.write("before-snapshot")
    assert host.names() == ["2026-11-26T12-00-00Z.json"]
    found = host.entry("2026-11-26T12-00-00Z")
    compose, override = found["apps"]["web"].pop("compose"), found["apps"]["web"].pop("override")
    assert found == {
        "version": 1, "time": "2026-11-26T12-00-00Z", "why": "before-snapshot", "boot": "b1", "kernel": os.uname().release,
        "os": {
            "id": "fedora", "version": "44.20261101.3.0",
            "deployment": {"version": "44.1", "checksum": "c1", "origin": "fedora:stable", "image": "ref", "digest": None},
        },
        "k3s": "v1.31.2+k3s1", "apps": {"web": {"quadlets": None, "pins": {"web": DIGEST}}},
        "containers": [{
            "app": "web", "service": "web", "container": "web-web-1", "image": "registry.lan/me/web:1", "id": "sha256:1",
            "digest": DIGEST,
        }],
    }  # fmt: skip
    line = subprocess.run(["sha256sum", host.app / "compose.yaml"], capture_output=True, text=True, check=True).stdout
    assert compose == line.split()[0] and len(override) == 64 and override != compose


def test_without_rpm_ostree_and_k3s_both_are_null(host: Host) -> None:
    host.write()
    found = host.entry("2026-11-26T12-00-00Z")
    assert found["os"]["deployment"] is None and found["k3s"] is None


def test_what_is_the_same_only_names_the_last_one(host: Host) -> None:
    host.write("deploy")
    host.at(NOON + 60)
    host.write("before-snapshot")
    host.at(NOON + 120)
    host.write("after-updates")
    assert host.entry("2026-11-26T12-02-00Z.same") == {
        "time": "2026-11-26T12-02-00Z", "why": "after-updates", "same": "2026-11-26T12-00-00Z"
    }  # fmt: skip
    host.at(NOON + 180)
    host.runs("2")
    host.write("after-updates")
    assert host.names()[-1] == "2026-11-26T12-03-00Z.json" and len(host.names()) == 4
    assert host.entry("2026-11-26T12-03-00Z")["containers"][0]["id"] == "sha256:2"


def test_two_in_one_second_do_not_replace_each_other(host: Host) -> None:
    host.write()
    host.runs("2")
    host.write()
    assert host.names() == ["2026-11-26T12-00-00Z.json", "2026-11-26T12-00-01Z.json"]


def test_the_deployment_is_asked_for_once_per_boot(host: Host) -> None:
    host.program("rpm-ostree", OSTREE)
    (host.state / "ostree").write_text(json.dumps({"deployments": [{"booted": True, "version": "44.1"}]}))
    host.write()
    host.runs("2")
    host.write()
    host.booted("b2")
    host.write("deploy")
    assert (host.state / "ostree.log").read_text().count("status") == 2
    assert host.entry("2026-11-26T12-00-02Z")["os"]["deployment"]["version"] == "44.1"


def test_apps_that_come_up_at_boot_are_no_deploy(host: Host) -> None:
    host.program("systemctl", "#!/bin/sh\necho starting\nexit 1\n")
    host.write("deploy")
    host.program("systemctl", "#!/bin/sh\necho running\n")
    host.write("deploy")
    assert host.entry("2026-11-26T12-00-00Z")["why"] == "boot"
    assert host.entry("2026-11-26T12-00-01Z.same")["why"] == "deploy"


def test_an_engine_that_does_not_answer_is_not_taken_for_an_empty_one(host: Host) -> None:
    (host.state / "dead").touch()
    host.write()
    assert host.entry("2026-11-26T12-00-00Z")["containers"] is None


def test_only_containers_of_apps_and_ours_are_told(host: Host) -> None:
    host.runs("1", {}, "by-hand")
    host.write()
    host.runs("1", {"zerotoil.owner": "home/matrix"}, "watchtower")
    host.write()
    assert host.entry("2026-11-26T12-00-00Z")["containers"] == []
    (ours,) = host.entry("2026-11-26T12-00-01Z")["containers"]
    assert (ours["app"], ours["service"]) == ("", "watchtower")


def test_a_stopped_app_is_no_app(host: Host) -> None:
    (host.app / ".zerotoil/stopped").touch()
    host.write()
    assert host.entry("2026-11-26T12-00-00Z")["apps"] == {}


def test_podman(tmp_path: Path) -> None:
    host = Host(tmp_path, "podman")
    (host.tree / "bin/podman.sh").touch()
    folder = host.tree / "quadlets/web"
    folder.mkdir(parents=True)
    for name, text in quadlets("web", {"services": {"front": {"image": "nginx:1"}}}, "home/matrix", {}).items():
        (folder / name).write_text(text)
    (quadlet,) = folder.glob("*.container")
    pairs = [line.split("=", 1) for line in quadlet.read_text().splitlines() if "=" in line]
    labels = dict(value.split("=", 1) for key, value in pairs if key == "Label")
    name = dict(pairs)["ContainerName"]
    host.runs("1", labels | {"PODMAN_SYSTEMD_UNIT": f"{quadlet.stem}.service"}, name)  # that one is podman's own
    host.write()
    found = host.entry("2026-11-26T12-00-00Z")
    assert found["apps"]["web"]["compose"] is None and len(found["apps"]["web"]["quadlets"]) == 64
    (ran,) = found["containers"]
    assert (ran["app"], ran["service"], ran["container"]) == ("web", "front", "web-front-1")


def test_a_power_cut_leaves_no_half_entry(host: Host) -> None:
    host.write()
    host.runs("2")
    host.program("sync", CUT)
    host.write(code=1)
    assert host.names() == ["2026-11-26T12-00-00Z.json"]
    assert [entry["name"] for entry in host.read()["entries"]] == ["2026-11-26T12-00-00Z"] and host.read()["unreadable"] == []
    (host.root / "bin/sync").unlink()
    host.write()
    assert [entry["containers"][0]["id"] for entry in host.read()["entries"]] == ["sha256:1", "sha256:2"]
    assert sorted(path.name for path in (host.tree / "ledger").glob(".*")) == [".lock"]


def test_a_broken_entry_is_told_and_a_whole_one_follows_it(host: Host) -> None:
    host.write()
    (host.tree / "ledger/2026-11-26T12-00-00Z.json").write_text('{"time": "20')
    host.write()
    read = host.read()
    assert read["unreadable"] == ["2026-11-26T12-00-00Z.json"]
    assert [entry["name"] for entry in read["entries"]] == ["2026-11-26T12-00-01Z"]


def fill(host: Host, times: list[int], *, same: str = "") -> None:
    for time in times:
        name = subprocess.run(
            ["date", "-u", "-d", f"@{time}", "+%Y-%m-%dT%H-%M-%SZ"], capture_output=True, text=True, check=True
        ).stdout.strip()
        content = {"time": name, "same": same} if same else {"time": name, "boot": "b0"}
        (host.tree / f"ledger/{name}{'.same' if same else ''}.json").write_text(json.dumps(content))


def test_what_names_another_one_goes_first(host: Host) -> None:
    (host.tree / "ledger").mkdir()
    fill(host, [NOON - 3600 - n for n in range(395)])
    fill(host, [NOON - 60 - n for n in range(10)], same="x")
    host.write()
    names = host.names()
    assert len(names) == 400
    assert sum(".same" in name for name in names) == 4  # the 395, the new one, and what is left for these
    assert "2026-11-26T11-59-00Z.same.json" in names and "2026-11-26T11-58-51Z.same.json" not in names


def test_the_oldest_go_when_all_tell_something(host: Host) -> None:
    (host.tree / "ledger").mkdir()
    fill(host, [NOON - 3600 - n for n in range(402)])
    host.write()
    assert len(host.names()) == 400 and host.names()[-1] == "2026-11-26T12-00-00Z.json"


def test_what_ran_400_days_ago_stays_known(host: Host) -> None:
    (host.tree / "ledger").mkdir()
    beside = host.tree / "2020-01-01T00-00-00Z.json"
    beside.touch()
    fill(host, [NOON - 500 * DAY, NOON - 450 * DAY, NOON - 10 * DAY])
    fill(host, [NOON - 449 * DAY], same="x")
    host.write()
    assert host.names() == ["2025-09-02T12-00-00Z.json", "2026-11-16T12-00-00Z.json", "2026-11-26T12-00-00Z.json"]
    assert beside.exists()


def test_nothing_is_made_where_the_data_disk_is_not(host: Host) -> None:
    away = host.tree.rename(host.root / "away")
    done = subprocess.run(["sh", str(away / "bin/ledger.sh"), "boot"], env=host.env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and not host.tree.exists()


def test_an_unknown_reason_is_refused(host: Host) -> None:
    assert host.write("lunch", code=2).startswith("usage:")


def test_a_guest_without_a_ledger_reads_as_empty(host: Host) -> None:
    assert host.read() == {"entries": [], "unreadable": [], "told": []}


def test_the_newest_that_tell_something_are_read_first(host: Host) -> None:
    (host.tree / "ledger").mkdir()
    fill(host, [NOON - 3600 - n for n in range(150)])
    fill(host, [NOON - n for n in range(100)], same="x")
    names = [entry["name"] for entry in host.read()["entries"]]
    assert len(names) == 200 and names == sorted(names) and sum("11-5" in name or "12-0" in name for name in names) == 50


def test_what_was_told_lately_is_read(host: Host) -> None:
    (host.tree / "notify").mkdir()
    (host.tree / "notify/state.json").write_text(json.dumps({"seen": {"unhealthy web": {"time": NOON, "again": 2}}}))
    assert host.read()["told"] == [{"what": "unhealthy web", "time": NOON}]
    (host.tree / "notify/state.json").write_text("[")
    assert host.read()["told"] == []


@pytest.mark.parametrize(
    ("schedule", "lines"),
    [
        ("0 2 * * *", ["*-*-* 01:58:00 UTC"]),
        ("0 0 * * *", ["*-*-* 23:58:00 UTC"]),
        ("1 0 1 * *", ["*-*-* 23:59:00 UTC"]),
        ("0 * * * *", ["*-*-* *:58:00 UTC"]),
        ("*/15 * * * *", ["*-*-* *:13,28,43,58:00 UTC"]),
        ("0,30 2,14 * * 0", ["*-*-* 02,14:28:00 UTC", "*-*-* 01,13:58:00 UTC"]),
        ("* * * * *", ["*-*-* *:03/5:00 UTC"]),
    ],
)
def test_two_minutes_before_the_snapshot(schedule: str, lines: list[str]) -> None:
    assert before_snapshots([Cron.parse(schedule)], "UTC") == lines


def test_a_schedule_that_cannot_be_told_is_followed_every_hour() -> None:
    assert before_snapshots([Cron("0", "2", "*", "*", "*"), Cron("0", "noon", "*", "*", "*")], "UTC") == ["*-*-* *:58:00 UTC"]


fields = st.sampled_from(["*", "0", "1", "59", "7,31", "*/10", "2-4"]), st.sampled_from(["*", "0", "23", "2,14", "*/6", "1-3"])


@given(minute=fields[0], hour=fields[1])
def test_each_snapshot_has_its_minute(minute: str, hour: str) -> None:
    found = set()
    for line in before_snapshots([Cron(minute, hour, "*", "*", "*")], "UTC"):
        clock = line.split()[1].split(":")
        if "/" in clock[1]:
            return
        hours = range(24) if clock[0] == "*" else [int(text) for text in clock[0].split(",")]
        found |= {(one * 60 + int(text) + 2) % 1440 * 60 for one in hours for text in clock[1].split(",")}
    assert sorted(found) == fixed_times(f"0 {minute} {hour}")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
@pytest.mark.parametrize("schedule", ["0 2 * * *", "*/15 * * * *", "0,30 2,14 * * 0", "* * * * *"])
def test_systemd_reads_it(schedule: str) -> None:
    for text in before_snapshots([Cron.parse(schedule)], "Europe/London"):
        done = subprocess.run(["systemd-analyze", "calendar", text], capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr


def test_who_has_a_ledger() -> None:
    names = [file.path.rpartition("/")[2] for file in guest_files(make_spec())]
    assert names == ["ledger.sh", "zerotoil-ledger@.service", "zerotoil-ledger-boot.timer", "zerotoil-ledger-before.timer"]
    assert set(names) <= {file.path.rpartition("/")[2] for file in own_files(make_spec())}
    assert set(names) <= {file.path.rpartition("/")[2] for file in own_files(make_spec(container_backend="podman", apps=["web"]))}
    assert guest_files(make_spec(container_backend="podman")) == []
    timer = guest_files(make_spec(data_snapshot_schedule="30 1 * * *", watchtower_timezone="Europe/London"))[-1]
    assert "OnCalendar=*-*-* 01:28:00 Europe/London\nAccuracySec=10s\n" in str(timer.content)


def test_what_is_held_is_told_with_podman_too(tmp_path: Path) -> None:
    host = Host(tmp_path, "podman")
    (host.tree / "bin/podman.sh").touch()
    for app in ("web", "other"):
        (host.tree / "quadlets" / app).mkdir(parents=True)
        (host.tree / "quadlets" / app / f"{app}.container").write_text("[Container]\n")
    (host.app / ".zerotoil/pins").write_text(f"web {DIGEST}\n")
    host.write()
    (name,) = host.names()
    apps = host.entry(name.removesuffix(".json"))["apps"]
    assert {app: found["pins"] for app, found in apps.items()} == {"web": {"web": DIGEST}, "other": {}}
