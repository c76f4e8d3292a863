"""The plan of a host with all that can be declared: it only reads, and shows no secret, of today or of before."""

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import libvirt
import pytest

from tests.layers.conftest import PretendLab
from tests.resources.guest.conftest import LocalGuest
from zerotoil.cli.plan_view import show
from zerotoil.clients.truenas import wire
from zerotoil.layers import Site
from zerotoil.layers.layers import LAYERS
from zerotoil.layers.plan import LabPlan, plan_lab
from zerotoil.layers.plan_json import as_text, schema
from zerotoil.model.secret import Secret
from zerotoil.resources.guest import files
from zerotoil.resources.guest.files import GuestFile
from zerotoil.resources.hypervisor.secret import ChapSecret

READS = re.compile(r"Get|List|Is[A-Z]|Lookup|NumOf|Free$|Event|_pointer$|Open|Close|Initialize|KeepAlive|ErrorHandler")
ASKS = re.compile(r"\.(query|config|get_instance)$|^core\.ping$|^auth\.")
COMPOSE = "services:\n  web:\n    image: docker.io/library/web:{0}\n    volumes: ['./app.conf:/app.conf:ro,Z']\n"


def rich(generation: str, backend: str) -> dict[str, Any]:
    """All that has a secret; each holds the word of its generation."""
    return {
        "container_backend": backend,
        "docker_enabled": backend == "docker",
        "watchtower_enabled": backend == "docker",
        "apps": ["web"],
        "apps_values": {"web": {"password": Secret(f"app-{generation}")}},
        "registry_logins": {"ghcr.io": {"user": "me", "password": Secret(f"login-{generation}")}},
        "registry_mirrors": {"docker.io": f"{generation}.mirror.lan"},
        "notify_sinks": [Secret(f"gotify://gotify.lan/Sink-{generation}")],
        "iscsi_chap_user": "hv1",
        "iscsi_chap_secret": Secret(f"chap-{generation}-1234"),
        "iscsi_chap_peer_user": "nas1",
        "iscsi_chap_peer_secret": Secret(f"peer-{generation}-1234"),
        "nas_mail_server": "mail.lan",
        "nas_mail_from": "nas@example.org",
        "nas_mail_user": "nas",
        "nas_mail_password": Secret(f"mail-{generation}"),
        "nas_alert_mail": f"{generation}@example.org",
        **({"watchtower_notify_url": Secret(f"telegram://Tower-{generation}@telegram")} if backend == "docker" else {}),
    }


def with_app(lab: PretendLab, generation: str, template: str) -> None:
    folder = lab.folder / "apps/web"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "compose.yaml").write_text(COMPOSE.format(generation))
    (folder / "app.conf.template").write_text(template)


def declared_files(site: Site) -> list[tuple[str, list[GuestFile]]]:
    """The trees of files of a host's guest."""
    resources = [resource for layer in LAYERS if layer.in_guest for resource in layer.resources(site)]
    trees = [(vars(one).get("root", "/var/mnt/data/apps/web"), vars(one)["files"]) for one in resources if "files" in vars(one)]
    return [(root, list(found)) for root, found in trees]


def deployed(lab: PretendLab, local: LocalGuest, generation: str, backend: str, template: str) -> None:
    """The host as a deploy leaves it, but for containers."""
    with_app(lab, generation, template)
    site = lab.site(**rich(generation, backend))
    for layer in LAYERS:
        if not layer.in_guest:
            [resource.apply() for resource in layer.resources(site)]
    site.shell = local.shell
    trees = declared_files(site)
    local.containers(tower(generation))
    for root, found in trees:
        local.shell(files.write_script(root, None, found))


def tower(generation: str) -> dict[str, Any]:
    """A Watchtower of ours that somebody made anew by hand, with the secrets where docker inspect shows them."""
    env = [f"WATCHTOWER_NOTIFICATION_URL=telegram://Tower-{generation}@telegram", f"WATCHTOWER_HTTP_API_TOKEN=api-{generation}"]
    command = [
        "--notification-url",
        f"gotify://gotify.lan/Arg-{generation}",
        f"--http-api-token=argument-{generation}",
        "--debug",
    ]
    return {
        "Name": "/watchtower",
        "Image": "sha256:1",
        "State": {"Status": "running", "ExitCode": 0},
        "HostConfig": {"RestartPolicy": {"Name": "always"}, "SecurityOpt": ["label=disable"], "Binds": []},
        "Config": {
            "Image": "nickfedor/watchtower:1.21.0",
            "Env": env,
            "Cmd": command,
            "Labels": {"zerotoil.owner": "home/matrix"},
        },
    }


def refuse_writes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """At the wire to the NAS and in libvirt's own library, whatever of ours calls them; returns what was called."""
    called: list[str] = []

    def guarded(real: Callable[..., Any], name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **more: Any) -> Any:
            called.append(name)
            assert READS.search(name), f"a plan called {name}"
            return real(*arguments, **more)

        return call

    for name in dir(libvirt.libvirtmod):
        if name.startswith("vir"):
            monkeypatch.setattr(libvirt.libvirtmod, name, guarded(getattr(libvirt.libvirtmod, name), name))
    for framing in (wire.JsonRpc, wire.Legacy):
        real = framing.call

        def call(self: Any, method: str, params: Any, real: Any = real) -> Any:
            called.append(method)
            assert ASKS.search(method), f"a plan called {method}"
            return real(self, method, params)

        monkeypatch.setattr(framing, "call", call)
    return called


def only_reads(local: LocalGuest) -> Callable[[str], str]:
    """A shell that runs the script which observes and the one which prints texts, and no other."""
    observe = (Path(files.__file__).parent / "observe.sh").read_text()
    of_texts = re.compile(r"printf '%s\\t' (\S+); base64 -w0 \1; echo")

    def shell(script: str) -> str:
        assert script == observe or all(of_texts.fullmatch(line) for line in script.splitlines()), f"a plan ran {script}"
        return local.shell(script)

    return shell


def contents(folder: Path) -> dict[str, str]:
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


def views(plan: LabPlan, capsys: pytest.CaptureFixture[str]) -> str:
    """Everything that a person or a program is shown of a plan."""
    capsys.readouterr()
    show(plan)
    show(plan, verbose=True)
    found = json.loads(as_text(plan))
    jsonschema.validate(found, schema(), cls=jsonschema.Draft202012Validator)
    lines = [str(change) for host in plan.hosts for change in host.changes]
    return "\n".join([capsys.readouterr().out, as_text(plan), *lines])


SECRETS = ("app-", "login-", "Sink-", "chap-", "peer-", "mail-", "Tower-", "api-", "Arg-", "argument-")


@pytest.fixture
def local(tmp_path: Path) -> LocalGuest:
    (tmp_path / "guest").mkdir()
    podman = tmp_path / "guest/bin/podman"
    made = LocalGuest(tmp_path / "guest")
    podman.write_text("#!/bin/sh\necho '[]'\n")
    podman.chmod(0o755)
    return made


@pytest.mark.parametrize("backend", ["docker", "podman"])
def test_it_only_reads_and_shows_no_secret(
    lab: PretendLab, local: LocalGuest, backend: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ChapSecret, "plan", lambda _self: [])  # libvirt's test driver knows no secrets
    deployed(lab, local, "old", backend, "password = {{ password }}\n")
    with_app(lab, "new", "password = read from elsewhere\n")  # the file is no secret any more: what it held, is
    site = lab.site(**rich("new", backend))
    site.nas.forget()
    site.hypervisor.forget()
    site.shell = only_reads(local)
    before, writes = contents(local.data), lab.sim.writes
    with monkeypatch.context() as patch:
        called = refuse_writes(patch)
        plan = plan_lab([site])
    assert [str(problem) for host in plan.hosts for problem in host.problems] == []
    assert plan.exit_code == 2
    assert (contents(local.data), lab.sim.writes) == (before, writes)
    assert {"virConnectListAllDomains", "pool.dataset.query"} <= set(called)
    # However much is declared: one call per kind.
    asked = [method for method in called if not method.startswith("vir")]
    assert len(asked) == len(set(asked)) <= 12, asked
    fields = {(change.resource, change.field) for change in plan.hosts[0].changes}
    assert fields >= {
        ("mail settings", "password"),
        ("alert service 'zerotoil home'", "mails to"),
    }
    shown = views(plan, capsys)
    assert [word for word in SECRETS for generation in ("old", "new") if f"{word}{generation}" in shown] == []


def test_nothing_of_a_new_host_is_written_or_told(
    lab: PretendLab, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with_app(lab, "new", "password = {{ password }}\n")
    site = lab.site(**rich("new", "docker"))
    site.shell = None
    refuse_writes(monkeypatch)
    plan = plan_lab([site])
    assert [layer.title for layer in plan.hosts[0].layers if layer.changes] == ["NAS", "hypervisor", "guest", "apps"]
    shown = views(plan, capsys)
    assert [word for word in SECRETS if f"{word}new" in shown] == []
    assert lab.sim.writes == 0
