"""How each failure of a guest, of the data, of a workflow and of the embedded lab is provoked."""

import json
import os
import socket
from collections.abc import Callable
from typing import Any

from tests.adopt.conftest import specs
from tests.adopt.test_domains import AROUND
from tests.adopt.test_domains import domain as made_by_hand
from tests.conftest import make_spec
from tests.errors.sshd import reached_over_ssh
from tests.errors.world import Provoke, World
from tests.resources.guest.test_watchtower import facts, watchtower
from tests.resources.nas.conftest import apply, connect, host
from tests.resources.test_guard import BLANK, BOOTED, DARK, GPT, KNOWN, NOTHING, OURS, WANT
from tests.workflows.conftest import Machine, make_machine
from zerotoil.adopt import domains, nas
from zerotoil.cli import main
from zerotoil.cli.adopt import adopt
from zerotoil.clients import apprise, ssh
from zerotoil.error_codes import Code
from zerotoil.layers import Site, project
from zerotoil.minilab import commands, layout, preflight, state, tools
from zerotoil.minilab.nas.middleware import METHODS
from zerotoil.model.data_volume import DataMark, Filesystem, Finding, VolumeState
from zerotoil.model.secret import Secret
from zerotoil.model.volumes import volumes
from zerotoil.render.notify import sinks
from zerotoil.resources import guard
from zerotoil.resources.data_volume import DataRecord
from zerotoil.resources.guest import Guest, k3s_wait
from zerotoil.resources.guest.app import App
from zerotoil.resources.guest.k3s import K3s
from zerotoil.resources.guest.os_updates import OsUpdates, done
from zerotoil.resources.guest.tailnet import Tailnet
from zerotoil.resources.hypervisor.iscsi_disk import IscsiDisk
from zerotoil.resources.hypervisor.os_switch import refuse_secrets
from zerotoil.resources.nas import deletion
from zerotoil.resources.nas.mark import write_mark
from zerotoil.setup import complete
from zerotoil.workflows.delete_data import delete
from zerotoil.workflows.destroy import destroy
from zerotoil.workflows.migrate import migrate
from zerotoil.workflows.migrate_journey import Wish
from zerotoil.workflows.notify_paths import try_all
from zerotoil.workflows.rebuild import rebuild
from zerotoil.workflows.release import release


def app_fails(script: str) -> str:
    """A guest that has no app yet, and in which its unit fails."""
    if script.startswith("#!/bin/sh"):
        return json.dumps(facts(notes="", sums="", modes=""))
    return "ActiveState=failed\n" if "ActiveState" in script else ""


def nothing_held(w: World) -> Any:
    guest = Guest("matrix", lambda _script: json.dumps(facts(notes="")))
    w.patch.setattr(Site, "running_guest", lambda _site: guest)
    return release(Site(make_spec(apps=["web"]), w.tmp), "web")


def boot_timeout(w: World) -> Any:
    folder = w.fixture("project")
    inventory = folder / "lab.py"
    inventory.write_text(inventory.read_text().replace('"2 minutes"', '"1 second"'))
    return w.said("zerotoil", "apply", "lab.py", "--limit", "one", "--yes", folder=folder)


def silent_guest(w: World) -> Any:
    server = w.stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    spec = make_spec(ssh_port=server.getsockname()[1])
    return ssh.shell(spec, "127.0.0.1", w.tmp / "known_hosts", timeout=1)("true")


def other_container(w: World) -> Any:
    observed = facts()
    observed["containers"][0]["Config"]["Labels"] = {}
    return watchtower(observed).plan()


def other_zvol(w: World) -> Any:
    server = w.nas()
    wanted = {"name": "tank/lab/matrix/data", "type": "VOLUME", "volsize": 1 << 30, "sparse": True, "create_ancestors": True}
    server.write("pool.dataset.create", wanted)
    return apply(server, host())


def served_twice(w: World) -> Any:
    server = w.nas()
    apply(server, host())
    server.write("iscsi.extent.update", server.query("iscsi.extent")[0]["id"], {"name": "renamed"})
    return apply(server, host())


def other_lun(w: World) -> Any:
    lab = w.fixture("handmade")
    spec = specs(lab.adopt().written.text(), iscsi_lun=1)["matrix"]
    return next(resource for resource in lab.resources(spec) if resource.key == "VM matrix").plan()


def forgetful_nas(w: World) -> Any:
    """A NAS that says yes to a change and makes none, with a host on it."""
    server = w.nas()
    apply(server, host())
    w.patch.setitem(METHODS, "pool.dataset.update", lambda *_: {})
    return server


def other_filesystem(w: World) -> Any:
    guest = Guest("matrix", lambda _script: '{"data": {"type": "xfs", "label": "data", "uuid": "u"}}')
    return DataRecord(volumes(make_spec())[0], guest, read=lambda: None, write=lambda _mark: None).plan()


def first_boot(mark: DataMark | None, found: Any, partlabel: str | None = None) -> Provoke:
    return lambda _: guard.check(host="matrix", want=WANT, owner="home/matrix", mark=mark, found=found, partlabel=partlabel)


def nothing_to_adopt(w: World) -> Any:
    from tests.adopt.conftest import hypervisor

    lab = w.fixture("handmade")
    options = {
        "nas": lab.sim.url, "nas-user": "zerotoil", "nas-api-key": "env:NAS_KEY", "nas-fingerprint": lab.sim.fingerprint,
        "hypervisor": hypervisor(w.tmp, made_by_hand("files", "")).uri, "output": str(w.tmp / "lab.py"),
    }  # fmt: skip
    return adopt.main([f"--{name}={value}" for name, value in options.items()], standalone_mode=False)


def of_no_target(w: World) -> Any:
    lab = w.fixture("handmade")
    return nas.match(lab.nas, IscsiDisk("network", "iqn.x:none", 0, "127.0.0.1", 3260), "home/matrix")


def rebuild_of_adopted(w: World) -> Any:
    lab = w.fixture("handmade")
    spec = specs(lab.adopt().written.text())["matrix"]
    lab.apply(spec)
    return rebuild(Site(spec, w.tmp))


def machine(w: World, **wrong: Any) -> Machine:
    """A host that was seen healthy."""
    made = make_machine(w.fixture("pretend_lab"), w.patch)
    vars(made).update(wrong)
    return made


def off(w: World) -> Any:
    made = machine(w)
    made.site.hypervisor.power_off("matrix")
    return migrate(made.site)


def never_healthy(w: World) -> Any:
    made = machine(w)
    write_mark(made.site.nas, made.site.spec.zvol, DataMark("home/matrix", VolumeState.FIRST_BOOT))
    return rebuild(made.site)


def destroy_of_adopted(w: World) -> Any:
    lab = w.fixture("handmade")
    spec = specs(lab.adopt().written.text())["mail"]
    lab.apply(spec)
    return destroy(Site(spec, w.tmp))


def cloned(w: World) -> Any:
    sim = w.sim()
    server = connect(sim)
    w.stack.callback(server.close)
    apply(server, host())
    sim.storage.snapshot(["tank/lab/matrix/data@one"], {})
    sim.storage.clone("tank/lab/matrix/data@one", "tank/lab/matrix/beside", {})
    server.forget()
    return deletion.doomed(server, "tank/lab/matrix/data", "home/matrix")


def with_password(w: World) -> Any:
    lab = w.fixture("handmade")
    spec = specs(lab.adopt().written.text())["matrix"]
    lab.apply(spec)
    return refuse_secrets(spec, lab.hypervisor)


def somebody_elses_folder(w: World) -> Any:
    w.file("mine")
    w.patch.setattr(layout, "STATE", w.tmp)
    w.patch.setattr(state, "MARK", w.tmp / "mark")
    return state.ensure()


def not_root(w: World) -> Any:
    w.patch.setattr(os, "geteuid", lambda: 1000)
    return preflight.require_root()


def defect(w: World) -> Any:
    capsys = w.fixture("capsys")
    w.patch.setitem(main.__globals__["_COMMANDS"], "explain", ("zerotoil.cli.nosuch", ""))
    try:
        main(["explain", "ZT101"])
    except SystemExit:
        return Code(capsys.readouterr().err.rstrip("\n")[-6:-1])


def told_by_host(w: World, answer: Callable[[str], str]) -> list[Code]:
    """The codes of a test message from a host whose script answers so."""
    w.patch.setattr(apprise, "send", lambda *_: None)
    url = "ntfy://127.0.0.1:9/home"
    site = Site(make_spec(notify_sinks=[Secret(url)]), w.tmp, shell=lambda _script: answer(sinks(url)[0].id))
    return [outcome.error.code for outcome in try_all([site]) if outcome.error]


def k3s(w: World, broken: bool = False, **seen: Any) -> K3s:
    """A node whose guest says this of itself; or, broken, one on which k3s keeps ending."""
    w.patch.setattr(k3s_wait, "_SECONDS", 0)
    told = json.dumps({"k3s": {"binary": True, "units": {}, **seen}})
    return K3s(Guest("matrix", lambda script: "" if broken and "journalctl" in script else told), make_spec(k3s_role="server"))


def tailnet(joins: str = "ok", key: str | None = "tskey-auth-1", **seen: Any) -> Tailnet:
    """A host whose guest says this of Tailscale, and which joins, or not."""
    told = json.dumps({"tailnet": {"program": True, "kept": "yes", "state": "NeedsLogin", "have_key": False, **seen}})
    guest = Guest("matrix", lambda script: told if script.startswith("#!") else joins)
    return Tailnet(guest, make_spec(tailnet_enabled=True, **({"tailnet_auth_key": Secret(key)} if key else {})))


def no_image(w: World) -> Any:
    """A new machine whose registry has no such image."""
    told = json.dumps({"boot": "one", "os_updates": {"state": {}, "reference": "a stream"}})
    guest = Guest("matrix", lambda script: told if script.startswith("#!") else "ActiveState=failed")
    return OsUpdates(guest, make_spec(os_source="reg.lan:5000/os:1")).apply()


CASES: dict[Code, Provoke] = {
    Code.VM_OFF: off,
    Code.NO_SUCH_VOLUME: lambda w: deletion.doomed(w.nas(), "tank/none", "home/matrix"),
    Code.VOLUME_ATTACHED: lambda w: delete(machine(w).site, *["tank/lab/matrix/data"] * 2),
    Code.VOLUME_HAS_CLONES: cloned,
    Code.NOT_CONFIRMED: lambda w: deletion.delete(w.nas(), "tank/lab/matrix/data", "home/matrix", "data"),
    Code.NO_ADDRESS: lambda w: w.fixture("pretend_lab").site().running_guest(),
    Code.SSH_REFUSED: lambda w: reached_over_ssh(w, listens=False),
    Code.SSH_NOT_ACCEPTED: lambda w: reached_over_ssh(w),
    Code.HOST_KEY_CHANGED: lambda w: reached_over_ssh(w, pinned="another"),
    Code.BOOT_TIMEOUT: boot_timeout,
    Code.GUEST_SILENT: silent_guest,
    Code.GUEST_COMMAND_FAILED: lambda w: Guest("matrix", lambda _script: "sh: jq: not found").facts(),
    Code.CONTAINER_NOT_OURS: other_container,
    Code.APP_NOT_UP: lambda w: App(Guest("matrix", app_fails), "web", [], {"web": []}).apply(),
    Code.NOTHING_HELD: nothing_held,
    Code.K3S_NOT_UP: lambda w: k3s(w, broken=True).apply(),
    Code.K3S_NO_POLICY: lambda w: k3s(w, policy="missing").plan(),
    Code.K3S_OTHER_STATE: lambda w: k3s(w, datastore="etcd").plan(),
    Code.TAILNET_NO_PROGRAM: lambda w: tailnet(program=False).plan(),
    Code.TAILNET_NO_KEY: lambda w: tailnet(key=None).plan(),
    Code.TAILNET_NOT_JOINED: lambda w: tailnet("failed invalid key").apply(),
    Code.TAILNET_SILENT: lambda w: tailnet(state="").apply(),
    Code.TAILNET_REFUSED: lambda w: tailnet("failed no such flag", state="Running").apply(),
    Code.OS_NOT_STAGED: no_image,
    Code.OS_NOT_DONE: lambda _: done(Guest("matrix", lambda _script: "failed disk full"), "it was not held", "pin"),
    Code.OS_NO_KEY: lambda w: project.signature_key(
        make_spec(os_source="reg.lan:5000/os:1", os_signature_key=str(w.file("cosign.key", "private"))), w.tmp
    ),
    Code.NOTIFY_NOT_THERE: lambda w: told_by_host(w, lambda sink: "absent"),
    Code.SINK_NOT_FROM_GUEST: lambda w: told_by_host(w, lambda sink: f"failed {sink} HTTP 500"),
    Code.VOLUME_NOT_OURS: other_zvol,
    Code.VOLUME_USED_TWICE: served_twice,
    Code.VM_READS_OTHER_VOLUME: other_lun,
    Code.MARK_NOT_KEPT: lambda w: write_mark(
        forgetful_nas(w), "tank/lab/matrix/data", DataMark("home/matrix", VolumeState.FIRST_BOOT)
    ),
    Code.DATA_NOT_MOUNTED: lambda w: Guest("matrix", lambda _script: '{"data": null}').data_filesystem(),
    Code.DATA_DIFFERS: other_filesystem,
    Code.NEVER_HEALTHY: never_healthy,
    Code.GUARD_NO_MARK: first_boot(None, NOTHING),
    Code.GUARD_UNREADABLE: first_boot(BOOTED, DARK),
    Code.GUARD_FOREIGN_FILESYSTEM: first_boot(BOOTED, Finding(filesystem=Filesystem("xfs", "data", "u"))),
    Code.GUARD_PARTITION_TABLE: first_boot(BLANK, GPT),
    Code.GUARD_OTHER_CONTENT: first_boot(BLANK, Finding(other="LVM2_member")),
    Code.GUARD_EMPTY_NOW: first_boot(KNOWN, NOTHING),
    Code.GUARD_PARTITION: first_boot(KNOWN, Finding(filesystem=OURS), "data"),
    Code.CHANGE_NOT_MADE: lambda w: apply(forgetful_nas(w), host(data_size="30 GiB")),
    Code.NEEDS_ANOTHER_FIRST: lambda w: Guest.new_machine("matrix").write("true"),
    Code.NOT_THERE_TO_ADOPT: lambda w: w.fixture("handmade").adopt("nobody"),
    Code.NOTHING_ADOPTED: nothing_to_adopt,
    Code.VM_UNFIT_TO_ADOPT: lambda w: domains.parse(made_by_hand("files", ""), AROUND),
    Code.VOLUME_UNFIT_TO_ADOPT: of_no_target,
    Code.REBUILD_OF_ADOPTED: rebuild_of_adopted,
    Code.REBUILD_UNHEALTHY: lambda w: rebuild(machine(w, silent={1, 2}).site),
    Code.FLAGS_MISSING: lambda w: complete({}, None),
    Code.NO_EARLIER_OS: lambda w: migrate(machine(w).site, Wish(back=True)),
    Code.MIGRATION_UNDONE: lambda w: migrate(machine(w, silent={2}).site),
    Code.MIGRATION_STUCK: lambda w: migrate(machine(w, down={2}, deaf={2}).site),
    Code.DEFINITION_HAS_SECRET: with_password,
    Code.DESTROY_OF_ADOPTED: destroy_of_adopted,
    Code.LAB_NEEDS_ROOT: not_root,
    Code.LAB_PART_MISSING: lambda w: commands.run("no-such-command"),
    Code.LAB_STEP_FAILED: lambda w: commands.run("false"),
    Code.LAB_STATE: somebody_elses_folder,
    Code.LAB_NO_SUCH_CHOICE: lambda w: tools.tool("nosuch"),
    Code.INTERNAL: defect,
}
