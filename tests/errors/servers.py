"""How each failure of the NAS, the hypervisor and a registry is provoked: on the simulator, libvirt's test driver, loopback."""

import socket
from typing import Any

import libvirt

from tests.clients.registry.oci import Image, index_of
from tests.clients.registry.test_answers import Scripted
from tests.conftest import make_spec
from tests.errors.world import Provoke, World
from tests.resources.nas.conftest import KEY, apply, connect, host, plan
from zerotoil.clients.hypervisor import Hypervisor
from zerotoil.clients.hypervisor.errors import translated
from zerotoil.clients.registry import Registry
from zerotoil.clients.truenas import Nas
from zerotoil.error_codes import Code
from zerotoil.layers import Site
from zerotoil.minilab.nas.middleware import METHODS
from zerotoil.model.image import ImageRef
from zerotoil.model.secret import Secret
from zerotoil.resources.hypervisor import observed, prepare, switch, volumes
from zerotoil.resources.hypervisor.observe import shutdown
from zerotoil.resources.nas import nas_resources
from zerotoil.resources.nas.access import IscsiService
from zerotoil.resources.nas.alerts import alert_resources
from zerotoil.workflows.notify_paths import try_all

NET = {"data_attach": "network"}
FIXED = {"vm_nics": [{"network": "default", "address": "192.168.122.20/24", "reserve": True}], **NET}


def silent_nas(w: World) -> Any:
    sim = w.sim()
    nas = connect(sim, timeout=1)
    sim.faults.hang.add("iscsi.target.query")
    return nas.query("iscsi.target")


def dropped(w: World) -> Any:
    sim = w.sim()
    sim.faults.drop_after = 1
    return connect(sim)


def old_and_new(w: World) -> Any:
    url, fingerprint = w.fixture("website")(200, b'["v30.01.0"]')
    return Nas.connect(url, "zerotoil", Secret(KEY), fingerprint=fingerprint, timeout=5)


def login(w: World, answer: str) -> Any:
    sim = w.sim()
    w.patch.setitem(METHODS, "auth.login_ex", lambda *_: {"response_type": answer})
    return connect(sim)


def revoked(w: World) -> Any:
    sim = w.sim()
    sim.faults.revoked.add("zerotoil")
    return connect(sim)


def other_dataset(w: World) -> Any:
    nas = w.nas()
    marks = [{"key": "zerotoil:owner", "value": "away/matrix"}]
    wanted = {"name": "tank/lab/matrix", "type": "FILESYSTEM", "create_ancestors": True, "user_properties": marks}
    nas.write("pool.dataset.create", wanted)
    return plan(nas, host())


def other_target(w: World) -> Any:
    nas = w.nas()
    nas.write("iscsi.target.create", {"name": "matrix", "groups": []})
    return plan(nas, host())


def another_lun(w: World) -> Any:
    more = {"media": {"size": "1 GiB"}}
    nas = w.nas()
    apply(nas, host(data_more=more))
    return plan(nas, host(data_more={"media": {**more["media"], "lun": 7}}))


def other_extent(w: World) -> Any:
    nas = w.nas()
    nas.write("pool.dataset.create", {"name": "tank/mine", "type": "VOLUME", "volsize": 1 << 30, "sparse": True})
    nas.write("iscsi.extent.create", {"name": "matrix", "disk": "zvol/tank/mine"})
    return plan(nas, host())


def no_service(w: World) -> Any:
    nas = w.nas()
    w.patch.setitem(METHODS, "service.query", lambda *_: [])
    return IscsiService(nas).plan()


def other_chap(w: World) -> Any:
    from tests.adopt.conftest import specs

    lab = w.fixture("handmade")
    w.file(".config/zerotoil/chap-secret", "another-s3cret")
    return lab.apply(specs(lab.adopt().written.text())["matrix"])


def silent_libvirt(w: World) -> Any:
    server = w.stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    return Hypervisor.connect(f"qemu+tcp://127.0.0.1:{server.getsockname()[1]}/system", 0.3)


def only_reading(w: World) -> Any:
    connection = libvirt.openReadOnly("test:///default")
    with translated("define VM x"):
        connection.defineXML("<domain type='test'><name>x</name></domain>")


def full_pool(w: World) -> Any:
    storage = w.fixture("of_hypervisor").hypervisor.storage
    all_of_it = storage.available("default")
    size = f"<capacity>{all_of_it}</capacity><allocation>{all_of_it}</allocation>"
    storage.create("default", "big", f"<volume><name>big</name>{size}</volume>")
    return storage.upload("default", "small", b"x")


def reserved(w: World) -> Any:
    lab = w.fixture("of_hypervisor")
    lab.apply(make_spec(**FIXED))
    return lab.plan(make_spec("other", **FIXED))


def other_vm(w: World) -> Any:
    lab = w.fixture("of_hypervisor")
    lab.hypervisor.define("matrix", "<domain type='test'><name>matrix</name><memory>1</memory><os><type>hvm</type></os></domain>")
    return lab.plan(make_spec(**NET))


def lost_os_disk(w: World) -> Any:
    lab = w.fixture("of_hypervisor")
    lab.apply(make_spec(**NET))
    lab.hypervisor.storage.delete("default", "matrix-os-1.qcow2")
    return lab.plan(make_spec(**NET))


def deaf_guest(w: World) -> Any:
    lab, spec = w.fixture("of_hypervisor"), make_spec(vm_shutdown_timeout="1 second", **NET)
    lab.apply(spec)
    w.patch.setattr(libvirt.virDomain, "shutdown", lambda _domain: 0)
    assert observed(spec, lab.hypervisor).running
    return shutdown(spec, lab.hypervisor)


def still_running(w: World) -> Any:
    lab, spec = w.fixture("of_hypervisor"), make_spec(**NET)
    lab.apply(spec)
    return switch(spec, lab.hypervisor, prepare(spec, lab.hypervisor, ignition="{}", image=lab.image), lambda: "")


class Forgetful:
    """A stream of a libvirt that takes every byte and keeps none."""

    def send(self, data: bytes) -> int:
        return len(data)

    def recv(self, _size: int) -> bytes:
        return b""

    def finish(self) -> None:
        """Done."""

    abort = finish


def lost_upload(w: World) -> Any:
    lab = w.fixture("of_hypervisor")
    w.patch.setattr(Hypervisor, "is_test", False)  # the test driver has no uploads; so they are played below it
    w.patch.setattr(libvirt.virConnect, "newStream", lambda *_: Forgetful())
    for name in ("upload", "download"):
        w.patch.setattr(libvirt.virStorageVol, name, lambda *_: 0)
    return volumes.put_config(make_spec(**NET), lab.hypervisor, "{}")


def answered(w: World, status: int, body: bytes = b"", **headers: str) -> Any:
    """What a client makes of a registry that answers each call like this."""
    server = Scripted(lambda *_: (status, {name.replace("_", "-"): value for name, value in headers.items()}, body))
    w.stack.callback(server.http.server_close)
    w.stack.callback(server.http.shutdown)
    w.patch.setenv("ZEROTOIL_CACHE", str(w.tmp / "cache"))
    return Registry(make_spec().registry, plain_loopback=True).image(server.ref("me/app:1"))


def no_registry(w: World, *, encrypted: bool) -> Any:
    """Nobody at its port, or somebody who speaks no TLS."""
    where = w.web().rstrip("/") if encrypted else "127.0.0.1:9"
    return Registry(make_spec().registry).digest(ImageRef.parse(f"{where}/me/app:1"))


def other_alert_service(w: World) -> Any:
    sim = w.sim()
    slack = {"name": "zerotoil home", "type": "Slack", "attributes": {"url": "https://x.lan/"}, "level": "INFO", "enabled": True}
    sim.nas.state.add("alertservice", slack)
    return plan(connect(sim), host(nas_alert_mail="me@home.lan"))


def mail_by_gmail(w: World) -> Any:
    sim = w.sim()
    login = {"provider": "gmail", "client_id": "a", "client_secret": "b", "refresh_token": "c"}
    sim.nas.state.data["mail"]["oauth"] = login
    return plan(connect(sim), host(nas_mail_server="mail.lan", nas_mail_from="nas@home.lan"))


def told_by_nas(w: World, **keys: Any) -> list[Code]:
    """The codes of a test message from a NAS that is as declared."""
    sim = w.sim()
    spec = host(nas_url=sim.url, nas_fingerprint=sim.fingerprint, nas_api_key=Secret(KEY), **keys)
    site = Site(spec, w.tmp)
    for resource in alert_resources(spec.nas, site.nas, spec.lab.name):
        resource.apply()
    return [outcome.error.code for outcome in try_all([site]) if outcome.error]


def deaf_alert_service(w: World) -> Any:
    w.patch.setitem(METHODS, "alertservice.test", lambda *_: False)
    w.patch.setitem(METHODS, "mail.send", lambda nas, session, *_: nas.job(session, "mail.send", [], lambda: True))
    return told_by_nas(w, nas_alert_mail="me@home.lan")


CASES: dict[Code, Provoke] = {
    Code.NAS_UNREACHABLE: lambda w: Nas.connect("wss://127.0.0.1:9", "zerotoil", Secret(KEY)),
    Code.NAS_TIMEOUT: silent_nas,
    Code.NAS_DROPPED: dropped,
    Code.CERTIFICATE_UNTRUSTED: lambda w: connect(w.sim(), fingerprint=None),
    Code.CERTIFICATE_NOT_PINNED: lambda w: connect(w.sim(), fingerprint="0" * 64),
    Code.NAS_PLAIN_TEXT: lambda w: Nas.connect("ws://127.0.0.1", "zerotoil", Secret(source="file:/nosuch")),
    Code.NOT_A_NAS: lambda w: Nas.connect(f"wss://{w.web()}", "zerotoil", Secret(KEY), timeout=5),
    Code.NAS_VERSION: old_and_new,
    Code.KEY_NOT_ACCEPTED: lambda w: connect(w.sim(), key="1-wrong"),
    Code.KEY_REVOKED: revoked,
    Code.LOGIN_DENIED: lambda w: login(w, "OTP_REQUIRED"),
    Code.NAS_REFUSED: lambda w: w.nas().write("pool.dataset.create", {"name": "tank", "type": "FILESYSTEM"}),
    Code.NO_NAS_POOL: lambda w: plan(w.nas(), host(nas_dataset="ocean/lab")),
    Code.DATASET_TAKEN: other_dataset,
    Code.TARGET_TAKEN: other_target,
    Code.EXTENT_TAKEN: other_extent,
    Code.LUN_TAKEN: another_lun,
    Code.PORTAL_DIFFERS: lambda w: plan(w.nas(), host(iscsi_port=3261)),
    Code.ISCSI_SERVICE: no_service,
    Code.CHAP_DIFFERS: other_chap,
    Code.ALERT_SERVICE_TAKEN: other_alert_service,
    Code.MAIL_BY_OAUTH: mail_by_gmail,
    Code.MAIL_NOT_SENT: lambda w: told_by_nas(w, nas_mail_server="127.0.0.1", nas_mail_port=9, nas_mail_from="nas@home.lan"),
    Code.ALERT_NOT_SENT: deaf_alert_service,
    Code.HYPERVISOR_UNREACHABLE: lambda w: Hypervisor.connect("qemu+tcp://127.0.0.1:1/system", 5),
    Code.HYPERVISOR_TIMEOUT: silent_libvirt,
    Code.HYPERVISOR_DENIED: only_reading,
    Code.HYPERVISOR_REFUSED: lambda w: w.fixture("of_hypervisor").hypervisor.define("x", "<domain/>"),
    Code.NO_STORAGE_POOL: lambda w: w.fixture("of_hypervisor").plan(make_spec(hypervisor_pool="ssd", **NET)),
    Code.STORAGE_POOL_FULL: full_pool,
    Code.STORAGE_POOL_KIND: lambda w: w.fixture("handmade").hypervisor.storage.delete("photo-pool", "unit:0:0:0"),
    Code.NO_NETWORK: lambda w: w.fixture("of_hypervisor").plan(make_spec(vm_nics=[{"network": "lan"}], **NET)),
    Code.RESERVATION: reserved,
    Code.VM_NOT_OURS: other_vm,
    Code.OS_DISK_GONE: lost_os_disk,
    Code.SHUTDOWN_TIMEOUT: deaf_guest,
    Code.STILL_IN_USE: still_running,
    Code.UPLOAD_DIFFERS: lost_upload,
    Code.VOLUME_SHRINKS: lambda w: [apply(nas := w.nas(), host(data_size="30 GiB")), plan(nas, host(data_size="10 GiB"))],
    Code.VOLUME_DOES_NOT_FIT: lambda w: plan(w.nas(), host(data_size="2 TiB")),
    Code.VOLUME_GONE: lambda w: [resource.plan() for resource in nas_resources(host(), w.nas(), lambda: True)],
    Code.REGISTRY_UNREACHABLE: lambda w: no_registry(w, encrypted=False),
    Code.REGISTRY_UNTRUSTED: lambda w: no_registry(w, encrypted=True),
    Code.REGISTRY_LOGIN: lambda w: answered(w, 401, WWW_Authenticate='Basic realm="x"'),
    Code.REGISTRY_NO_IMAGE: lambda w: answered(w, 404),
    Code.REGISTRY_RATE_LIMIT: lambda w: answered(w, 429, Retry_After="3600"),
    Code.REGISTRY_ANSWER: lambda w: answered(w, 200, b"<html>"),
    Code.REGISTRY_OTHER_PLATFORM: lambda w: answered(w, 200, index_of(Image(architecture="arm64"))),
}
