"""`zerotoil plan`, `check` and `apply` as a person runs them: exit codes, what is printed, Ctrl-C."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from tests.resources.hypervisor.conftest import NODE
from tests.resources.nas.conftest import KEY, simulator
from zerotoil.layers.plan_json import schema
from zerotoil.minilab.nas import Simulator

ROOT = Path(__file__).parents[2]
ZEROTOIL = [sys.executable, "-c", "from zerotoil.cli import main; main()"]
INVENTORY = """
from zerotoil.model.secret import Secret
vms = (["@vm/one", ("@vm/two", {{"vm_cpus": 4}})], {{
    "nas_url": "{url}", "nas_fingerprint": "{fingerprint}", "nas_user": "zerotoil", "nas_api_key": Secret("{key}"),
    "nas_dataset": "tank/lab", "iscsi_portal": ["127.0.0.1"], "iscsi_initiators": ["iqn.1993-08.org.debian:01:x"],
    "hypervisor_uri": "test://{folder}/node.xml", "data_size": "1 GiB", "data_attach": "network",
    "ssh_authorized_keys": ["ssh-ed25519 A"], "os_image": "{folder}/image.qcow2", "os_image_sha256": "{sha256}",
    "vm_boot_timeout": "2 minutes",
}})
"""


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with simulator() as made:
        yield made


@pytest.fixture
def project(tmp_path: Path, sim: Simulator) -> Path:
    image = tmp_path / "image.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", str(image), "1G"], check=True, timeout=20)
    digest = subprocess.run(["sha256sum", str(image)], check=True, timeout=20, capture_output=True, text=True).stdout.split()[0]
    (tmp_path / "node.xml").write_text(NODE)
    text = INVENTORY.format(url=sim.url, fingerprint=sim.fingerprint, key=KEY, folder=tmp_path, sha256=digest)
    (tmp_path / "lab.py").write_text(text)
    return tmp_path


def zerotoil(project: Path, *line: str, answer: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run([*ZEROTOIL, *line], cwd=project, capture_output=True, text=True, timeout=120, input=answer)


def test_a_plan_of_two_new_hosts(project: Path, sim: Simulator) -> None:
    done = zerotoil(project, "plan", "lab.py")
    assert (done.returncode, done.stderr) == (2, "")
    assert "+ zvol tank/lab/one/data" in done.stdout and "+ VM two" in done.stdout
    assert "2 hosts: " in done.stdout.splitlines()[-1] and "to create" in done.stdout.splitlines()[-1]
    assert "cpus 4" in done.stdout
    assert sim.writes == 0


def test_limit_data_and_json(project: Path) -> None:
    done = zerotoil(project, "plan", "lab.py", "--json", "--limit", "one", "--data", "vm_cpus=3")
    found = json.loads(done.stdout)
    jsonschema.validate(found, schema(), cls=jsonschema.Draft202012Validator)
    assert [host["host"] for host in found["hosts"]] == ["one"]
    changes = [change for layer in found["hosts"][0]["layers"] for change in layer["changes"]]
    assert [change["after"] for change in changes if change["field"] == "cpus"] == [3]
    assert KEY not in done.stdout


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (["plan", "lab.py", "--limit", "thre"], "--limit thre fits no host and no group: hosts: one, two [ZT113]\n"),
        (
            ["plan", "lab.py", "--data", "vm_cpus"],
            "--data vm_cpus is not KEY=VALUE: write for instance --data vm_memory='4 GiB' [ZT114]\n",
        ),
        (
            ["plan", "gone.py"],
            "Usage: zerotoil plan [OPTIONS] INVENTORY\nInvalid value for 'INVENTORY': File 'gone.py' does not exist. [ZT114]\n",
        ),
        (["planner"], "Usage: zerotoil [OPTIONS] COMMAND [ARGS]...\nNo such command 'planner'. [ZT114]\n"),
        (
            ["plan", "lab.py", "--layer", "disk"],
            "there is no layer disk: one of NAS, hypervisor, guest, OS, tailnet, k3s, apps, cluster [ZT114]\n",
        ),
    ],
)
def test_wrong_options_get_one_line(project: Path, line: list[str], error: str) -> None:
    """And exit 1: a plan's 2 says that there are changes."""
    done = zerotoil(project, *line)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", error)


def test_a_nas_that_is_gone_makes_exit_1_and_the_rest_is_shown(project: Path) -> None:
    inventory = project / "lab.py"
    inventory.write_text(inventory.read_text().replace('{"vm_cpus": 4}', '{"nas_url": "wss://127.0.0.1:9"}'))
    done = zerotoil(project, "plan", "lab.py")
    assert done.returncode == 1
    assert "? the NAS wss://127.0.0.1:9 cannot be reached (Connection refused)" in done.stdout and "[ZT201]" in done.stdout
    assert "+ VM one" in done.stdout, done.stdout
    assert "1 host could not be read" in done.stdout.splitlines()[-1]


def test_check_needs_no_lab_and_names_file_and_line(project: Path, sim: Simulator) -> None:
    done = zerotoil(project, "check", "lab.py")
    assert (done.returncode, done.stdout) == (0, "lab.py: 2 hosts, nothing wrong\n")
    assert sim.calls == []
    inventory = project / "lab.py"
    inventory.write_text(inventory.read_text().replace('"vm_cpus": 4', '"vm_cpu": 4'))
    done = zerotoil(project, "check", "lab.py")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "two: vm_cpu (from host data, lab.py:3): unknown key; did you mean vm_cpus? [ZT101]\n"


def test_check_holds_units_and_xml_against_their_validators(project: Path) -> None:
    inventory = project / "lab.py"
    contents = "[Service]\nExecStart=/bin/true\nTpye=oneshot\n"
    unit = json.dumps({"systemd": {"units": [{"name": "foo.service", "contents": contents}]}})
    wrong = f'"os_butane": [{unit!r}], "vm_xml": "<vcpus><bogus/></vcpus>"'
    inventory.write_text(inventory.read_text().replace('"vm_cpus": 4', wrong))
    done = zerotoil(project, "check", "lab.py")
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert lines[0].startswith("two: vm_xml (from host data, lab.py:3): libvirt's schema refuses it (")
    assert lines[0].endswith(" [ZT120]")
    assert lines[1] == (
        "two: os_butane (from host data, lab.py:3): unit foo.service line 3: Unknown key 'Tpye' in section [Service]; "
        "man systemd.directives lists all [ZT623]"
    )


def test_apply_asks_once_and_a_no_changes_nothing(project: Path, sim: Simulator) -> None:
    done = zerotoil(project, "apply", "lab.py", answer="n\n")
    assert done.returncode == 1
    assert "Make these changes?" in done.stdout
    assert sim.writes == 0


def test_ctrl_c_during_apply_is_no_success(project: Path) -> None:
    """pyinfra itself would exit 0."""
    line = [*ZEROTOIL, "apply", "lab.py", "--limit", "one", "--yes"]
    log = project / "log"
    with log.open("w") as out:
        process = subprocess.Popen(line, cwd=project, stdout=out, stderr=out, stdin=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 100
    while "booting" not in log.read_text() and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.2)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(60) == 130, log.read_text()
    text = log.read_text()
    assert "Traceback" not in text
    assert "interrupted: what was done stays, the next run goes on from there" in text


def test_apply_says_before_it_asks_where_it_will_stop(project: Path, sim: Simulator) -> None:
    inventory = project / "lab.py"
    inventory.write_text(inventory.read_text().replace('{"vm_cpus": 4}', '{"apps": ["gone"]}'))
    done = zerotoil(project, "apply", "lab.py", answer="n\n")
    assert "\ntwo: the deploy will stop at what could not be read; not all of its changes will be made\nMake these" in done.stdout
    assert "one: the deploy will stop" not in done.stdout, done.stdout
    assert (done.returncode, done.stderr, sim.writes) == (1, "stopped\n", 0)


def test_ctrl_c_leaves_nothing_open() -> None:
    """What a process closes at its end (the connections to guests), it closes at Ctrl-C too."""
    code = (
        "import atexit, signal, os, zerotoil.cli.explain as e; from zerotoil.cli import main; atexit.register(print, 'closed');"
        "e.explain.callback = lambda **_: os.kill(os.getpid(), signal.SIGINT); main(['explain', 'ZT101'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr.strip()) == (130, "closed\n", "interrupted")


@pytest.mark.parametrize("command", ["plan", "apply", "doctor"])
def test_ctrl_c_is_told_from_a_failure_and_waits_for_no_server(project: Path, command: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        inventory = project / "lab.py"
        nas = f'{{"nas_url": "wss://127.0.0.1:{silent.getsockname()[1]}"}}'
        inventory.write_text(inventory.read_text().replace('{"vm_cpus": 4}', nas))
        line, null = [*ZEROTOIL, command, "lab.py"], subprocess.DEVNULL
        process = subprocess.Popen(line, cwd=project, stdin=null, stdout=null, stderr=subprocess.PIPE, text=True)
        silent.settimeout(100)
        asked, _ = silent.accept()
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=10)  # the NAS would have 30 seconds for its answer
        asked.close()
    assert process.returncode == 130
    assert error.endswith("interrupted\n") and "Traceback" not in error


def test_the_closing_summary_says_what_became_of_each_host(project: Path) -> None:
    inventory = project / "lab.py"
    inventory.write_text(inventory.read_text().replace('"2 minutes"', '"1 second"'))
    done = zerotoil(project, "apply", "lab.py", "--yes")
    assert done.returncode == 1
    summary = done.stderr[done.stderr.index("--> What happened:") :]
    assert "one: FAILED; " in summary and "created" in summary
    assert "failed: one: no SSH 1 s after the start (one: the VM has no address yet)" in summary
    assert "look at its console: virsh -c test://" in summary
    assert "[ZT405]" in summary


def test_an_unexpected_error_is_one_line_without_debug(project: Path) -> None:
    (project / "deploys").mkdir()
    broken = [
        sys.executable,
        "-c",
        "import zerotoil.cli.hosts as h; h.read = lambda *_: 1 / 0; from zerotoil.cli import main; main()",
    ]
    done = subprocess.run([*broken, "check", "lab.py"], cwd=project, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr == (
        "zerotoil failed (ZeroDivisionError: division by zero): run again with --debug and report what it prints [ZT999]\n"
    )
    done = subprocess.run([*broken, "--debug", "check", "lab.py"], cwd=project, capture_output=True, text=True, timeout=60)
    assert "Traceback" in done.stderr


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (["ssh", "-i", "lab.py", "one"], "one: no address is known: is the VM running? [ZT401]\n"),
        (["rebuild", "-i", "lab.py", "one", "--yes"], "one: there is no VM: create it with the deploy"),
        (["status", "lab.py"], ""),
        (["plan", "lab.py"], ""),
        (["check", "lab.py"], ""),
        (["doctor", "lab.py", "--json"], ""),
    ],
)
def test_nothing_but_the_error_is_on_stderr(project: Path, line: list[str], error: str) -> None:
    """pyinfra warns there when it is loaded after the modules it wants to patch; scripts read what these commands print."""
    found = zerotoil(project, *line).stderr
    assert found.startswith(error) and found.count("\n") == bool(error), found
