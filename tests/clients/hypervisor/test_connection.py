"""Connecting: errors in words, deadlines, and no stop of other hosts under gevent."""

import socket
import subprocess
import sys
import threading
import time

import pytest

from zerotoil.clients.hypervisor import Hypervisor, HypervisorError, deadline


def test_an_unreachable_hypervisor_is_one_line() -> None:
    with pytest.raises(HypervisorError) as caught:
        Hypervisor.connect("qemu+tcp://127.0.0.1:1/system", 5)
    assert "Connection refused" in caught.value.what
    assert "virsh -c qemu+tcp://127.0.0.1:1/system version" in caught.value.remedy


def test_a_silent_hypervisor_does_not_hang() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        uri = f"qemu+tcp://127.0.0.1:{server.getsockname()[1]}/system"
        with pytest.raises(HypervisorError, match=r"no answer within 0\.3 s"):
            Hypervisor.connect(uri, 0.3)


def test_a_failure_is_remembered_for_the_other_hosts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        uri = f"qemu+tcp://127.0.0.1:{server.getsockname()[1]}/system"
        for _ in range(2):
            with pytest.raises(HypervisorError):
                Hypervisor.connect(uri, 1)
        server.setblocking(False)
        server.accept()
        with pytest.raises(BlockingIOError):
            server.accept()  # the second try never left the process


def test_a_silent_hypervisor_makes_no_other_wait() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        uri = f"qemu+tcp://127.0.0.1:{server.getsockname()[1]}/system"

        def refused() -> None:
            with pytest.raises(HypervisorError):
                Hypervisor.connect(uri, 3)

        waiting = threading.Thread(target=refused)
        waiting.start()
        _kept = server.accept()  # it is being connected to now
        started = time.monotonic()
        Hypervisor.connect("test:///default", 5)
        assert time.monotonic() - started < 2
        waiting.join()


def test_a_call_has_a_deadline_and_keeps_its_error() -> None:
    with pytest.raises(TimeoutError):
        deadline.call(threading.Event().wait, 0.1)
    with pytest.raises(KeyError):
        deadline.call(lambda: {}["x"], 5)
    assert deadline.call(lambda: 3, 5) == 3


def test_libvirt_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(HypervisorError, match="Domain not found"):
        Hypervisor.connect("test:///default", 5).domain_xml("nobody")
    assert capfd.readouterr() == ("", "")


def test_a_read_that_a_write_overtook_is_not_kept() -> None:
    hypervisor = Hypervisor.connect("test:///default", 5)

    def read() -> str:
        hypervisor.forget()  # as another host's write does
        return "old"

    assert hypervisor.cached("x", read) == "old"
    assert hypervisor.cached("x", lambda: "new") == "new" == hypervisor.cached("x", lambda: "newer")


UNDER_GEVENT = """
from gevent import monkey; monkey.patch_all()
import gevent, time
from zerotoil.clients.hypervisor import Hypervisor, HypervisorError, deadline

sleep, turns = monkey.get_original("time", "sleep"), 0
def other():
    global turns
    while True:
        turns += 1
        gevent.sleep(0.01)
gevent.spawn(other)
deadline.call(lambda: sleep(0.5), 5)
assert turns > 10, turns
try: deadline.call(lambda: sleep(2), 0.2)
except TimeoutError: pass
else: raise SystemExit("no deadline")
try: deadline.call(lambda: {}["x"], 5)
except KeyError: pass
hypervisor = Hypervisor.connect("test:///default", 5)
jobs = [gevent.spawn(hypervisor.domains) for _ in range(10)]
gevent.joinall(jobs, raise_error=True)
assert all(job.value is jobs[0].value for job in jobs)
try: hypervisor.domain_xml("nobody")
except HypervisorError as error: print(error)
"""


def test_under_gevent_other_hosts_go_on() -> None:
    done = subprocess.run([sys.executable, "-c", UNDER_GEVENT], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert "hypervisor test:///default: read VM nobody: Domain not found" in done.stdout
