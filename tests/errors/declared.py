"""How each failure of a declaration, of images and configs, and of this machine's files is provoked."""

import fcntl
import hashlib
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.broken.right import RIGHT
from tests.conftest import make_spec
from tests.errors.world import Provoke, World, between, problem
from zerotoil.cli import hosts
from zerotoil.clients import apprise, butane, download, images
from zerotoil.clients.registry import Registry
from zerotoil.edge import lines
from zerotoil.error_codes import Code
from zerotoil.layers import Site, apps, check, layers, project
from zerotoil.layers.updates import Running, Service, Updater, judge
from zerotoil.model import compose
from zerotoil.model.inventory import Declared
from zerotoil.model.secret import Secret
from zerotoil.render.calendar import on_calendar
from zerotoil.render.compose_image import set_tag
from zerotoil.render.domain import Provisioned, render_domain
from zerotoil.render.notify import apprise_url, sinks
from zerotoil.render.quadlet import quadlets
from zerotoil.render.registry import mirrored
from zerotoil.resources.guest.notify import guest_files
from zerotoil.setup import Declaration, complete
from zerotoil.setup.files import write

AIRGAP = {"registry_airgapped": True, "registry_mirrors": {"docker.io": "mirror.lan:5000"}}
TWICE = 'vms = [("@vm/a", {}),\n("@vm/a", {})]\n'
ONE = f'vms = [("@vm/a", {RIGHT!r})]\n'
UNIT = 'systemd: {units: [{name: foo.service, contents: "[Service]\\nExecStart=/bin/true\\nTpye=oneshot\\n"}]}'


def app(w: World, name: str = "", text: str = "") -> Any:
    """The app `web`, with one file of this text; without one it has no folder."""
    if name:
        w.file("apps/web/compose.yaml", "services: {}")
        w.file(f"apps/web/{name}", text)
    return apps.read(make_spec(apps=["web"], apps_values={"web": {"password": Secret("x")}}), w.tmp, "web")


def quiet(done: int, total: int) -> None:
    """No progress wanted."""


def domain(fragment: str) -> str:
    made = Provisioned("qemu", "x.qcow2", "/x.ign", "0" * 64, "x", 1)
    return render_domain(make_spec(), made, iqn="iqn.2005-10.org.freenas.ctl:x", fragment=fragment)


def config(w: World, *fragments: str, **keys: Any) -> str:
    return project.butane(make_spec(os_butane=list(fragments), **keys), w.tmp)


def image(w: World, path: Path, sha256: str = "", **more: Any) -> images.LocalImage:
    sha256 = sha256 or hashlib.sha256(path.read_bytes()).hexdigest()
    return images.fetch(images.ImageSource("os", str(path), sha256, **more), w.tmp / "cache", quiet)


def unit(w: World) -> Any:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    (found,) = check.check([Site(make_spec(os_butane=[UNIT]), w.tmp)])
    return found


def unsigned(w: World) -> Any:
    if not shutil.which("gpgv"):
        pytest.skip("gpgv is not installed")
    return image(w, w.file("os.qcow2"), keyring=w.tmp / "keys")


def locked(w: World) -> Any:
    w.patch.setattr(images, "_LOCK_SECONDS", -1)
    lock = w.stack.enter_context(w.file(f"cache/os-{'0' * 12}.lock").open("w"))
    fcntl.flock(lock, fcntl.LOCK_EX)
    return image(w, w.file("os.qcow2"), "0" * 64)


def secret(w: World) -> Any:
    path = w.file("key", "k3y")
    path.chmod(0o644)
    return Secret(source=f"file:{path}").reveal()


def write_init(w: World, taken: str) -> Any:
    w.file(taken)
    answers = {"host": "a", "nas_url": "wss://nas.lan", "nas_user": "z", "nas_api_key": "env:K", "nas_dataset": "tank"}
    more = {"portal": "192.0.2.1", "initiator": "iqn.1993-08.org.debian:01:x", "data_size": "1 GiB", "ssh_key": "ssh-ed25519 A"}
    return write(Declaration.of(complete({**answers, **more}, None)), w.tmp)


def verdict(image: str, tags: object = None) -> Any:
    """What `zerotoil updates` has against a service."""
    updater, ask = Updater("Watchtower", False), Registry(make_spec().registry)
    found = judge(
        Service("blog", "web", image, tags=tags), Running("web-1", image), ask=ask, updater=updater, now=datetime.now(UTC)
    )
    assert found.problem
    raise found.problem


def transpile(w: World, *, broken: bool) -> str:
    """With a butane that cannot be run, or none at all."""
    w.patch.setattr("sys.executable", str(w.tmp / "python"))
    w.patch.setenv("PATH", str(w.tmp))
    if broken:
        w.file("butane", "no program").chmod(0o755)
    return butane.transpile("variant: fcos\n")


def quadlet(**spec: Any) -> Any:
    """An app with one service, for podman."""
    return quadlets("app", {"services": {"web": {"image": "busybox:1", **spec}, "a-b": {"image": "busybox:1"}}}, "o", {})


def lint(settings: str, service: str, text: str = "") -> Code:
    """The code of the one thing that is wrong with an app."""
    made = f"x-zerotoil: {{{settings}}}\nservices: {{web: {{image: docker.io/library/web:1, {service}}}}}\n"
    _, (found,) = compose.check("shop", text or made)
    assert found.shown == f"{found} [{found.code}]"
    return found.code


def clash() -> Code:
    text = "services: {web: {image: docker.io/library/web:1, ports: ['80:80']}}"
    (found,) = compose.across([compose.parse(name, text) for name in ("one", "two")])
    return found.code


CASES: dict[Code, Provoke] = {
    Code.UNKNOWN_KEY: lambda w: problem(vm_memry="1 GiB"),
    Code.MISSING_KEY: lambda w: problem(left_out="nas_url"),
    Code.WRONG_VALUE: lambda w: problem(vm_cpus=0),
    Code.KEYS_CONTRADICT: lambda w: problem(os_image_sha256="0" * 64),
    Code.SHARED_BY_HOSTS: lambda w: between({"iscsi_target": "x", "iscsi_extent": "a"}, {"iscsi_target": "x"}),
    Code.CLASHES_WITH_HOST: lambda w: between({}, {"hypervisor_pool": "one-data"}),
    Code.INVENTORY_BROKEN: lambda w: w.said("zerotoil", "check", w.file("lab.py", "vms = [\n").name),
    Code.INVENTORY_MISREAD: lambda w: next(lines.left_out(w.file("lab.py", TWICE), [])),
    Code.WRITTEN_TWICE: lambda w: next(lines.repeated(w.file("lab.py", TWICE))),
    Code.NO_SUCH_HOST: lambda w: hosts.stand(Declared(), w.tmp / "lab.py"),
    Code.WRONG_OPTION: lambda w: layers.named(["disk"]),
    Code.VM_XML_WRONG: lambda w: domain("<cpu"),
    Code.VM_XML_FORBIDDEN: lambda w: domain("<devices><disk/></devices>"),
    Code.K3S_CLUSTER: lambda w: between({}, {"k3s_role": "agent"}),
    Code.APP_MISSING: lambda w: app(w),
    Code.APP_FILE: lambda w: app(w, "db.env.template", "PASSWORD={{ password }}"),
    Code.APP_TEMPLATE: lambda w: app(w, "conf.template", "{{ nosuch }}"),
    Code.QUADLET_CANNOT_SAY: lambda w: quadlet(logging={}),
    Code.QUADLET_WRONG_VALUE: lambda w: quadlet(ports=["http"]),
    Code.QUADLET_CLASH: lambda w: quadlet(container_name="app-a-b-1"),
    Code.SCHEDULE_CANNOT_SAY: lambda w: on_calendar("0 30 3 1 * MON", "UTC"),
    Code.COMPOSE_MALFORMED: lambda w: compose.parse("shop", "services: ["),
    Code.COMPOSE_WRONG: lambda w: compose.parse("shop", "services: {web: {imgae: x}}"),
    Code.COMPOSE_RULE: lambda w: lint("", "volumes: [/etc/pki:/pki:ro]"),
    Code.COMPOSE_LABEL: lambda w: lint("", "volumes: [./data:/data]"),
    Code.COMPOSE_SECRET: lambda w: lint("", "environment: {API_KEY: x}"),
    Code.APP_SETTINGS: lambda w: lint("updates: never", ""),
    Code.APPS_CLASH: lambda w: clash(),
    Code.IMAGE_REFERENCE: lambda w: verdict("blog:${TAG}"),
    Code.IMAGE_OUTSIDE: lambda w: mirrored("ghcr.io/me/blog:1", make_spec(**AIRGAP).registry),
    Code.TAG_RANGE: lambda w: verdict("docker.io/me/blog:1", tags=1.4),
    Code.IMAGE_LINE: lambda w: set_tag("services: {blog: {build: .}}", "blog", "2"),
    Code.SINK_MALFORMED: lambda w: sinks("signal://signal.lan"),
    Code.SINK_UNKNOWN: lambda w: guest_files(make_spec(notify_sinks=[Secret("mailtos://me@home.lan")])),
    Code.SINK_NOT_FROM_HERE: lambda w: apprise_url("signal://signal.lan/+4915112345678/+4915187654321?token=x"),
    Code.SINK_REFUSED: lambda w: apprise.send("json://127.0.0.1:9/", "title", "text"),
    Code.NOTHING_TO_TEST: lambda w: w.said("zerotoil", "notify", "test", "-i", w.file("lab.py", ONE).name),
    Code.IMAGE_NOT_FOUND: lambda w: image(w, w.tmp / "none.qcow2", "0" * 64),
    Code.DOWNLOAD_FAILED: lambda w: download.get_json("http://127.0.0.1:9/stable.json", patient=False),
    Code.STREAM_UNREADABLE: lambda w: download.get_json(f"http://{w.web()}{w.file('stable.json', '<html>').name}"),
    Code.IMAGE_DAMAGED: lambda w: image(w, w.file("os.qcow2"), "0" * 64),
    Code.IMAGE_UNFIT: lambda w: image(w, w.file("os.qcow2", "no image")),
    Code.SIGNATURE: unsigned,
    Code.CONFIG_REFUSED: lambda w: butane.transpile("variant: nosuch\nversion: 1.0.0\n"),
    Code.FRAGMENT_MALFORMED: lambda w: config(w, "- a\n- b\n"),
    Code.FRAGMENT_FORBIDDEN: lambda w: config(w, "storage: {disks: [{device: /dev/vda}]}"),
    Code.UNIT_WRONG: unit,
    Code.SECRET_UNREADABLE: lambda w: Secret(source="file:/none/key").reveal(),
    Code.SECRET_OPEN_TO_OTHERS: secret,
    Code.FILE_UNREADABLE: lambda w: config(w, "nosuch.bu"),
    Code.FILE_EXISTS: lambda w: write_init(w, "inventory/lab.py"),
    Code.FILE_UNWRITABLE: lambda w: write_init(w, "deploys"),
    Code.DISK_FULL: lambda w: download.need_space(w.tmp, 1 << 60, "the image"),
    Code.NO_PUBLIC_KEY: lambda w: config(w, ssh_authorized_keys=["id_ed25519"]),
    Code.TOOL_MISSING: lambda w: transpile(w, broken=False),
    Code.TOOL_FAILED: lambda w: transpile(w, broken=True),
    Code.ANOTHER_RUN: locked,
}
