"""Doctor's questions to servers: libvirt's test driver, the TrueNAS simulator, and servers that are dead or silent."""

import http.server
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import libvirt
import pytest

from tests.conftest import make_spec
from zerotoil.clients.hypervisor import Hypervisor, HypervisorError
from zerotoil.doctor import hypervisor, nas
from zerotoil.doctor.check import Check, State, failure, ok, warning
from zerotoil.doctor.examine import examine, inventory
from zerotoil.doctor.packages import Family
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.minilab.nas import Simulator, certificate
from zerotoil.minilab.nas.memory import MemoryStorage
from zerotoil.minilab.nas.targets import NoTargets
from zerotoil.model.inventory import Declared, Problem
from zerotoil.model.secret import Secret
from zerotoil.model.spec import HostSpec

TEST = "test:///default"
KEY = "1-abcdefghijklmnop"
NEWEST = {"24.10": "v24.10", "25.04": "v25.04.2", "25.10": "v25.10.5", "26": "v26.0.0"}


def on_test_driver(**keys: Any) -> HostSpec:
    return make_spec(**{"hypervisor_uri": TEST, "hypervisor_pool": "default-pool", "vm_accel": "emulated", **keys})


def of_hypervisor(*specs: HostSpec) -> dict[str, Check]:
    return {check.name: check for check in hypervisor.checks(list(specs), Family.DEBIAN)}


@pytest.fixture(autouse=True)
def with_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hypervisor, "_which", lambda tool: f"/usr/sbin/{tool}")


# --- the hypervisor


def test_a_right_hypervisor_and_nothing_is_written() -> None:
    connection = Hypervisor.connect(TEST, 5)
    before = connection.writes.copy()
    found = of_hypervisor(on_test_driver())
    libvirt_version = hypervisor.dotted(libvirt.getVersion())
    assert [*found.values()] == [
        ok(TEST, f"libvirt {libvirt_version}"),
        ok(f"{TEST}: pool default-pool", "started"),
        ok(f"{TEST}: network default", "started"),
        ok("iscsiadm", "/usr/sbin/iscsiadm"),
    ]
    assert connection.writes == before


def test_a_pool_and_a_network_that_are_not_there() -> None:
    found = of_hypervisor(on_test_driver(hypervisor_pool="fast", vm_nics=[{"network": "dmz"}]))
    make = (
        "name another in hypervisor_pool, or virsh -c test:///default pool-define-as fast dir --target "
        "/var/lib/libvirt/images; virsh -c test:///default pool-start fast; virsh -c test:///default pool-autostart fast"
    )
    assert found[f"{TEST}: pool fast"] == failure(f"{TEST}: pool fast", "not there (there: default-pool)", make)
    assert found[f"{TEST}: network dmz"] == failure(
        f"{TEST}: network dmz", "not there (there: default)", "name another in vm_nics, or create it (virsh net-define)"
    )


def test_a_pool_and_a_network_that_are_not_started(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = Hypervisor.connect(TEST, 5)
    monkeypatch.setattr(type(connection.storage), "pools", lambda _self: {"slow": (False, False)})
    monkeypatch.setattr(hypervisor, "networks", lambda _hypervisor: {"lan": False})
    assert hypervisor.pool(connection, "slow") == failure(
        f"{TEST}: pool slow", "not started", f"virsh -c {TEST} pool-start slow; virsh -c {TEST} pool-autostart slow"
    )
    assert hypervisor.network(connection, "lan") == failure(
        f"{TEST}: network lan", "not started", f"virsh -c {TEST} net-start lan; virsh -c {TEST} net-autostart lan"
    )


def test_hosts_that_share_a_hypervisor_are_asked_for_once() -> None:
    other = on_test_driver(name="other", vm_nics=[{"network": "dmz"}, {"bridge": "br0"}])
    found = hypervisor.checks([on_test_driver(), other], Family.DEBIAN)
    names = ["pool default-pool", "network default", "network dmz", "bridge br0"]
    assert [check.name for check in found] == [TEST, *(f"{TEST}: {name}" for name in names), "iscsiadm"]


def test_a_bridge_is_looked_for_among_the_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    class Connection:
        def listDevices(self, _kind: str, _flags: int) -> list[str]:
            return ["net_br_lan_52_54_00_00_00_01", "net_br01_52_54_00_00_00_02"]

    connection = Hypervisor(TEST, Connection(), 5)
    assert hypervisor.bridge(connection, "br-lan") == ok(f"{TEST}: bridge br-lan", "there")
    missing = warning(
        f"{TEST}: bridge br0", "libvirt lists no such device", "create the bridge there, or name another in vm_nics"
    )
    assert hypervisor.bridge(connection, "br0") == missing
    no_driver = HypervisorError("hypervisor x: list network devices: no nodedev driver", code=Code.HYPERVISOR_REFUSED)
    monkeypatch.setattr(connection, "run", raising(no_driver))
    unknown = warning(f"{TEST}: bridge br0", "cannot be looked up (no nodedev driver)", "see for it there: ip link")
    assert hypervisor.bridge(connection, "br0") == unknown


def raising(error: Exception) -> Any:
    def fail(*_arguments: Any) -> None:
        raise error

    return fail


def test_kvm_is_only_a_question(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = Hypervisor.connect(TEST, 5)
    name, fix = f"{TEST}: KVM", "switch on VT-x or AMD-V in the firmware; in a VM, nested virtualization"
    slow = warning(name, "not offered by libvirt: guests are emulated, many times slower", fix)
    assert hypervisor.kvm(connection, {"auto", "emulated"}) == [slow]
    wanted = failure(name, 'not offered by libvirt, and vm_accel = "kvm" wants it', fix)
    assert hypervisor.kvm(connection, {"auto", "kvm"}) == [wanted]
    assert hypervisor.kvm(connection, {"emulated"}) == []
    monkeypatch.setattr(hypervisor, "offers_kvm", lambda _hypervisor: True)
    assert hypervisor.kvm(connection, {"auto"}) == [ok(name, "offered by libvirt; a real start decides")]


@pytest.mark.parametrize(
    ("answer", "state", "found"),
    [
        ("<c><pool type='dir' supported='yes'/><pool type='iscsi' supported='yes'/></c>", State.OK,
         "libvirt has iSCSI pools; iscsiadm there cannot be seen from here"),
        ("<c><pool type='iscsi' supported='no'/></c>", State.FAILURE,
         'libvirt there has no iSCSI pools, and data_attach = "block" needs them'),
        ("<c/>", State.FAILURE, 'libvirt there has no iSCSI pools, and data_attach = "block" needs them'),
    ],
)  # fmt: skip
def test_what_a_remote_libvirt_says_of_iscsi(answer: str, state: State, found: str) -> None:
    class Connection:
        def getStoragePoolCapabilities(self, _flags: int) -> str:
            return answer

    check = hypervisor.iscsi_pools(Hypervisor("qemu+ssh://hv1/system", Connection(), 5))
    assert (check.name, check.state, check.found) == ("qemu+ssh://hv1/system: iSCSI", state, found)
    assert ("open-iscsi" in check.fix) is (state is State.FAILURE)


def test_a_hypervisor_that_cannot_be_reached_is_one_failure() -> None:
    uri = "qemu+ssh://root@127.0.0.1:9/system"
    [check] = hypervisor.checks([make_spec(hypervisor_uri=uri)], Family.DEBIAN)
    assert (check.name, check.state) == (uri, State.FAILURE)
    assert check.found.startswith("connect: ")
    assert "Connection refused" in check.found
    assert check.fix == f"see whether it is up: virsh -c {uri} version"


def test_a_local_libvirt_that_is_not_there_says_how_to_get_it() -> None:
    uri = "qemu+unix:///system?socket=/nosuch"
    daemon, iscsiadm = hypervisor.checks([make_spec(hypervisor_uri=uri)], Family.DEBIAN)
    assert (daemon.name, daemon.state) == (uri, State.FAILURE)
    assert "apt-get install libvirt-daemon-system, then " in daemon.fix
    assert iscsiadm.state is State.OK


# --- the NAS


def simulator(version: str = "25.10") -> Simulator:
    storage = MemoryStorage("tank", 1 << 40)
    return Simulator(version=version, storage=storage, targets=NoTargets(), users={"zerotoil": KEY}, address="127.0.0.1")


def on(url: str, **keys: Any) -> HostSpec:
    right = {
        "nas_url": url,
        "nas_api_key": Secret(KEY),
        "iscsi_portal": ["127.0.0.1"],
        "iscsi_port": 9,
        "nas_timeout": "5 seconds",
    }
    return make_spec(**{**right, **keys})


PORT = warning(
    "{url}: iSCSI 127.0.0.1:9",
    "not reached from here (Connection refused)",
    "fine before the first deploy, or when only the hypervisor is on its network",
)


def closed(url: str) -> Check:
    return warning(PORT.name.format(url=url), PORT.found, PORT.fix)


@pytest.mark.parametrize("version", NEWEST)
def test_a_right_nas_of_every_version_and_nothing_is_written(version: str) -> None:
    with simulator(version) as sim:
        assert nas.checks([on(sim.url, nas_fingerprint=sim.fingerprint)]) == [
            ok(sim.url, f"TrueNAS, API {NEWEST[version]}; logged in as zerotoil"),
            ok(f"{sim.url}: pool tank", "ONLINE"),
            closed(sim.url),
        ]
        assert sim.writes == 0


def test_a_pool_that_is_not_there_and_one_that_is_sick(monkeypatch: pytest.MonkeyPatch) -> None:
    with simulator() as sim:
        found = nas.checks([on(sim.url, nas_fingerprint=sim.fingerprint, nas_dataset="fast/lab")])
        fix = "name another in nas_dataset, or create it on the NAS"
        assert found[1] == failure(f"{sim.url}: pool fast", "not there (there: tank)", fix)
        connected = nas.servers.nas(on(sim.url))
        monkeypatch.setattr(connected, "query", lambda _kind: [{"name": "tank", "status": "DEGRADED", "healthy": False}])
        assert nas.pool(connected, "tank") == warning(f"{sim.url}: pool tank", "DEGRADED", "see Storage on the NAS")


def test_a_certificate_that_nobody_trusts_and_one_by_its_ca() -> None:
    with simulator() as sim:
        assert nas.checks([on(sim.url, nas_user="other")]) == [
            failure(
                sim.url,
                f"the certificate of {sim.url} is not trusted (self-signed certificate)",
                "set nas_ca to the CA that signed it, or nas_fingerprint to its SHA-256",
            ),
            closed(sim.url),
        ]
        assert nas.checks([on(sim.url, nas_ca=sim.ca_file)])[0].state is State.OK


def test_a_wrong_key_is_not_shown() -> None:
    with simulator() as sim:
        found = nas.checks([on(sim.url, nas_fingerprint=sim.fingerprint, nas_api_key=Secret("1-wr0ng"))])
        text = f"{sim.url} does not accept the API key of zerotoil"
        assert found == [failure(sim.url, text, "check nas_user and nas_api_key"), closed(sim.url)]


def test_a_nas_that_refuses() -> None:
    url = "wss://127.0.0.1:9"
    text = f"the NAS {url} cannot be reached (Connection refused)"
    assert nas.checks([on(url)]) == [failure(url, text, "is it up, and is nas_url right?"), closed(url)]


def test_an_open_portal() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert nas.portal("wss://nas", "127.0.0.1", port) == ok(f"wss://nas: iSCSI 127.0.0.1:{port}", "open")


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Any]:
    """A web server over TLS whose answers carry the Date header that is put into `date` (None: none)."""

    class Answer(http.server.BaseHTTPRequestHandler):
        date: str | None = None

        def do_GET(self) -> None:
            self.send_response_only(404)
            if self.date is not None:
                self.send_header("Date", self.date)
            self.end_headers()

        def log_message(self, *_arguments: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    cert, key = certificate.make(tmp_path, "127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    spec = on(f"wss://127.0.0.1:{server.server_address[1]}", nas_ca=cert)
    yield Answer, spec, f"{spec.nas.url}: clock"
    server.shutdown()
    server.server_close()


def test_the_clock_of_the_nas_is_the_date_of_any_answer(web: Any) -> None:
    answer, spec, name = web
    assert nas.clock(spec) == []
    answer.date = "yesterday"
    assert nas.clock(spec) == []
    answer.date = format_datetime(datetime.now(UTC), usegmt=True)
    assert nas.clock(spec) == [ok(name, "within 60 s of this machine's")]
    answer.date = format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True)
    [check] = nas.clock(spec)
    assert (check.name, check.state) == (name, State.WARNING)
    assert check.found in {f"{seconds} s behind this machine's" for seconds in range(3600, 3606)}
    assert check.fix == "let both keep time: timedatectl set-ntp true here; System, General, NTP on the NAS"
    answer.date = format_datetime(datetime.now(UTC).replace(tzinfo=None))  # "-0000": UTC without saying so
    assert nas.clock(spec) == [ok(name, "within 60 s of this machine's")]


def test_the_clock_is_looked_at_once_logged_in(monkeypatch: pytest.MonkeyPatch) -> None:
    late = warning("clock", "late")
    monkeypatch.setattr(nas, "clock", lambda _spec: [late])
    with simulator() as sim:
        assert late in nas.checks([on(sim.url, nas_fingerprint=sim.fingerprint)])
    assert late not in nas.checks([on("wss://127.0.0.1:9")])


@pytest.mark.parametrize(
    ("ahead", "found"),
    [(60, None), (-60, None), (61, "61 s ahead of this machine's"), (-61, "61 s behind this machine's")],
)
def test_a_minute_is_the_limit(ahead: int, found: str | None) -> None:
    ours = datetime(2026, 1, 1, tzinfo=UTC)
    check = nas.compare("clock", ours + timedelta(seconds=ahead), ours)
    assert (check.state, check.found) == ((State.WARNING, found) if found else (State.OK, "within 60 s of this machine's"))


# --- all of them


def test_a_dead_and_a_silent_server_keep_no_other_from_being_reported() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, simulator() as sim:
        url = f"wss://127.0.0.1:{silent.getsockname()[1]}"
        specs = {
            "right": on(sim.url, name="right", nas_fingerprint=sim.fingerprint, hypervisor_uri=TEST, data_attach="network"),
            "silent": on(url, name="silent", nas_timeout="1 second", hypervisor_uri="qemu+ssh://root@127.0.0.1:9/system"),
        }
        found = {check.name: check for check in examine("lab.py", Declared(specs), Family.DEBIAN)}
        assert found[url] == failure(url, f"the NAS {url} did not answer in time", "is it up, and is nas_url right?")
        assert found["qemu+ssh://root@127.0.0.1:9/system"].state is State.FAILURE
        assert found[TEST].state is State.OK
        assert found[sim.url].state is State.OK
        assert found[f"{sim.url}: pool tank"].state is State.OK


def test_servers_are_asked_at_the_same_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        urls = [f"wss://127.0.0.1:{silent.getsockname()[1]}" for silent in (one, two)]
        specs = {url: on(url, nas_timeout="3 seconds", hypervisor_uri=TEST) for url in urls}
        started = time.monotonic()
        found = {check.name: check.found for check in examine("lab.py", Declared(specs), Family.DEBIAN)}
        assert time.monotonic() - started < 5.5
        assert [found[url] for url in urls] == [f"the NAS {url} did not answer in time" for url in urls]


def test_a_surprise_of_one_server_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nas, "checks", raising(KeyError("response_type")))
    spec = on("wss://127.0.0.1:9", hypervisor_uri=TEST)
    found = {check.name: check for check in examine("lab.py", Declared({"matrix": spec}), Family.DEBIAN)}
    surprise = failure(spec.nas.url, "unexpected KeyError: 'response_type'", "report this, with the versions above")
    assert found[spec.nas.url] == surprise
    assert found[TEST].state is State.OK


def test_the_inventory_is_one_check() -> None:
    assert inventory("lab.py", LabError("it cannot be loaded", "mend it", code=Code.INVENTORY_BROKEN)) == failure(
        "lab.py", "it cannot be loaded", "mend it"
    )
    problems = [
        Problem("a", "vm_cpus", "host data", "is wrong", Code.WRONG_VALUE),
        Problem("b", "vm_cpus", "", "too", Code.WRONG_VALUE),
    ]
    fix = "zerotoil check lab.py tells more"
    assert inventory("lab.py", Declared({}, problems)) == failure(
        "lab.py", "a: vm_cpus (from host data): is wrong (and 1 more)", fix
    )
    assert inventory("lab.py", Declared({}, problems[1:])) == failure("lab.py", "b: vm_cpus: too", fix)
    assert inventory("lab.py", Declared()) == failure("lab.py", "declares no host", 'declare one as "@vm/NAME"')
    assert inventory("lab.py", Declared({"a": make_spec("a"), "b": make_spec("b")})) == ok("lab.py", "declares a, b")
