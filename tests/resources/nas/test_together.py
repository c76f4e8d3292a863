"""Many hosts at once, with threads and under pyinfra's gevent: what they share is made once."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from tests.resources.nas.conftest import KEY, apply, connect, host, plan, simulator
from zerotoil.clients.truenas import Nas
from zerotoil.minilab.nas import Simulator

NAMES = ("matrix", "k3s", "files", "photos")

UNDER_GEVENT = """
from gevent import monkey
monkey.patch_all()
import sys
import gevent
from tests.resources.nas.conftest import apply, host, plan
from zerotoil.clients.truenas import Nas
from zerotoil.model.secret import Secret

url, fingerprint, key, *names = sys.argv[1:]
nas = Nas.connect(url, "zerotoil", Secret(key), fingerprint=fingerprint, timeout=20)
gevent.joinall([gevent.spawn(apply, nas, host(name)) for name in names], raise_error=True)
assert all(plan(nas, host(name)) == [] for name in names)
print("done")
"""


def check(nas: Nas) -> None:
    shared = {kind: len(nas.query(kind)) for kind in ("iscsi.portal", "iscsi.auth", "iscsi.target", "pool.snapshottask")}
    assert shared == {"iscsi.portal": 1, "iscsi.auth": 1, "iscsi.target": 4, "pool.snapshottask": 4}
    assert all(plan(nas, host(name)) == [] for name in NAMES)


def test_hosts_in_threads_share_one_connection(sim: Simulator, nas: Nas) -> None:
    with ThreadPoolExecutor(len(NAMES)) as threads:
        list(threads.map(lambda name: apply(nas, host(name)), NAMES))
    check(nas)
    assert nas.writes == sim.writes


def test_hosts_under_gevent() -> None:
    with simulator("25.10") as sim:
        command = [sys.executable, "-c", UNDER_GEVENT, sim.url, sim.fingerprint, KEY, *NAMES]
        done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
        assert (done.stdout, done.returncode) == ("done\n", 0), done.stderr
        check(connect(sim))


def test_many_hosts_ask_once_per_kind() -> None:
    """The run that changes nothing: its calls do not grow with the number of hosts."""
    with simulator("25.10") as sim:
        first = connect(sim)
        for name in NAMES:
            apply(first, host(name))
        counts = []
        for names in (NAMES[:1], NAMES):
            nas, before = connect(sim), len(sim.calls)
            assert [line for name in names for line in plan(nas, host(name))] == []
            counts.append(len(sim.calls) - before)
        assert counts[0] == counts[1] <= 12
