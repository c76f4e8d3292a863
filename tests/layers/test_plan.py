"""The plan over all layers: complete before anything exists, empty after a deploy, and it never writes."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import jsonschema
import pytest

from tests.layers.conftest import PretendLab
from zerotoil.clients.hypervisor import Hypervisor
from zerotoil.clients.truenas import Nas
from zerotoil.errors import LabError
from zerotoil.layers import Site
from zerotoil.layers import notices as notices_module
from zerotoil.layers.layers import LAYERS, named
from zerotoil.layers.plan import HostPlan, plan_lab
from zerotoil.layers.plan_json import as_data, schema
from zerotoil.resources.resource import Action, Kind, Risk


def planned(*sites: Site) -> list[HostPlan]:
    for site in sites:
        site.nas.forget()
        site.hypervisor.forget()
    return plan_lab(sites).hosts


def lines(host: HostPlan) -> list[str]:
    return [str(change) for change in host.changes]


def test_a_new_host_shows_all_that_would_be_made(lab: PretendLab) -> None:
    site = lab.site()
    site.shell = None  # nothing answers yet
    (host,) = planned(site)
    assert [layer.title for layer in host.layers] == ["NAS", "hypervisor", "guest", "OS", "tailnet", "k3s", "apps", "cluster"]
    made = {change.resource for change in host.changes if change.action is Action.CREATE}
    assert {"zvol tank/lab/matrix/data", "target matrix", "extent matrix", "VM matrix", "OS disk of matrix"} <= made
    (config,) = [change for change in host.changes if change.field == "config"]
    assert "What=/dev/disk/by-id/virtio-matrix-data" in "\n".join(config.text_diff())
    assert plan_lab([site]).exit_code == 2


def test_after_a_deploy_the_plan_is_empty_and_both_say_the_same(lab: PretendLab) -> None:
    site = lab.site()
    (before,) = planned(site)
    applied = lab.apply(site)
    assert {change.resource for change in applied} == {change.resource for change in before.changes}
    (after,) = planned(site)
    assert (lines(after), after.problems, after.notices) == ([], [], ())
    assert plan_lab([site]).exit_code == 0


def test_a_plan_never_writes(lab: PretendLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every writing call is refused, at the NAS and at libvirt, and the plan is whole all the same."""
    settled, new = lab.site("one"), lab.site("two", data_size="1 GiB")
    lab.apply(settled)

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a plan wrote something")

    monkeypatch.setattr(Nas, "write", refuse)
    monkeypatch.setattr(Hypervisor, "write", refuse)
    before = lab.sim.writes
    one, two = planned(lab.site("one", vm_memory="4 GiB", data_size="30 GiB"), new)
    assert lines(one) == ["zvol tank/lab/one/data: size 20 GiB -> 30 GiB", "VM one: memory 2 GiB -> 4 GiB"]
    assert not (one.problems or two.problems)
    assert two.changes
    assert lab.sim.writes == before
    assert all("Reads only" in script for scripts in lab.guests.values() for script in scripts)  # observe.sh and nothing else


def test_drift_is_told_by_field_with_its_risk(lab: PretendLab) -> None:
    lab.apply(lab.site())
    (host,) = planned(lab.site(vm_cpus=4, data_snapshot_keep="3 weeks"))
    assert [(change.field, change.before, change.after, change.risk) for change in host.changes] == [
        ("keep", "14 days", "3 weeks", Risk.SAFE),
        ("cpus", 2, 4, Risk.RESTART),
    ]


def test_what_waits_for_a_restart_is_deferred_until_asked_for(lab: PretendLab) -> None:
    lab.apply(lab.site())
    changed = lab.site(vm_memory="3 GiB")
    (host,) = planned(changed)
    assert (lines(host), host.notices) == (["VM matrix: memory 2 GiB -> 3 GiB"], ())
    lab.apply(changed)
    (host,) = planned(changed)
    assert lines(host) == []
    (notice,) = host.notices
    assert (notice.kind, notice.what) == (Kind.DEFERRED, "memory at its next start")
    assert "--data restart=now" in notice.command
    now = lab.site(vm_memory="3 GiB", restart="now")
    assert lines(planned(now)[0]) == ["running VM matrix: restart runs without the new memory -> now"]
    lab.apply(now)
    (host,) = planned(now)
    assert (lines(host), host.notices) == ([], ())


def test_a_changed_ignition_config_is_no_drift_but_reprovision_needed(lab: PretendLab) -> None:
    lab.apply(lab.site())
    (host,) = planned(lab.site(ssh_authorized_keys=["ssh-ed25519 BBBB other@laptop"]))
    assert lines(host) == []
    (notice,) = host.notices
    assert (notice.kind, notice.command) == (Kind.REPROVISION, "zerotoil rebuild matrix")
    assert "- ssh-ed25519 BBBB other@laptop" in "\n".join(notice.changes[0].text_diff())


def test_one_server_that_cannot_be_read_hides_nothing_else(lab: PretendLab) -> None:
    good, bad = lab.site("good"), lab.site("bad", hypervisor_uri="qemu+unix:///system?socket=/nosuch")
    plan = plan_lab([bad, good])
    first, second = plan.hosts
    assert any("zvol tank/lab/bad/data" in line or "dataset tank/lab/bad" in line for line in lines(first))
    assert len(first.problems) == 1 and "socket=/nosuch" in str(first.problems[0])
    assert second.changes and not second.problems
    assert plan.exit_code == 1


def test_layers_can_be_chosen(lab: PretendLab) -> None:
    (host,) = plan_lab([lab.site()], layers=named(["nas"])).hosts
    assert [layer.title for layer in host.layers] == ["NAS"]
    with pytest.raises(LabError, match="there is no layer disk: one of NAS, hypervisor, guest"):
        named(["disk"])


def test_the_json_is_what_its_schema_says_and_holds_no_secret(lab: PretendLab) -> None:
    chap = {"iscsi_chap_user": "hv1"}
    from zerotoil.model.secret import Secret

    site = lab.site(**chap, iscsi_chap_secret=Secret("chap-s3cret-0"))
    data = as_data(plan_lab([site]))
    jsonschema.validate(data, schema(), cls=jsonschema.Draft202012Validator)
    text = json.dumps(data)
    assert "chap-s3cret-0" not in text and "********" in text
    resources = {change["resource"] for layer in data["hosts"][0]["layers"] for change in layer["changes"]}
    assert data["summary"]["created"] + data["summary"]["changed"] == len(resources)


def test_the_format_and_its_page_know_every_layer_and_every_kind_of_notice() -> None:
    kinds = [str(kind) for kind in Kind]
    assert schema()["$defs"]["host"]["properties"]["notices"]["items"]["properties"]["kind"]["enum"] == kinds
    page = (Path(__file__).parents[2] / "docs/reference/plan.md").read_text()
    (of_layer,) = (line for line in page.splitlines() if "[].layer`" in line)
    (of_kind,) = (line for line in page.splitlines() if line.startswith("| `hosts[].notices[]`"))
    assert all(f"`{layer.title}`" in of_layer for layer in LAYERS)
    assert all(f"`{kind}`" in of_kind and f"- **{kind}**" in page for kind in kinds)


def test_the_nas_is_asked_once_per_kind_however_many_hosts_there_are(lab: PretendLab) -> None:
    names = ("one", "two", "three", "four")
    for name in names:
        lab.apply(lab.site(name))
    asked = []
    for some in (names[:1], names):
        sites = [lab.site(name) for name in some]
        sites[0].nas.forget()
        before = len(lab.sim.calls)
        assert plan_lab(sites).exit_code == 0
        asked.append(len(lab.sim.calls) - before)
    assert asked[0] == asked[1] <= 12


def test_a_newer_image_on_the_stream_is_an_update_and_no_drift(lab: PretendLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looked up at most once an hour: a plan does not wait for the network each time."""
    asked = []

    class Stream(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            disk = {"location": "http://127.0.0.1/x.qcow2.xz", "sha256": "0" * 64, "uncompressed-sha256": "0" * 64}
            qemu = {"release": "45.20261101.3.0", "formats": {"qcow2.xz": {"disk": disk}}}
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"architectures": {"x86_64": {"artifacts": {"qemu": qemu}}}}).encode())

        def log_message(self, *_: Any) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Stream) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        declared = {"os_stream_url": f"http://127.0.0.1:{server.server_port}/streams/"}
        lab.apply(lab.site(**declared))
        for _ in range(2):
            (host,) = planned(lab.site(**declared))
            assert lines(host) == []
            (notice,) = host.notices
            assert (notice.kind, notice.what) == (Kind.UPDATE, "44.20260802.3.1 -> 45.20261101.3.0")
            assert notice.command == "zerotoil rebuild matrix"
            notices_module._newest.cache_clear()  # as in another process
        server.shutdown()
    assert asked == ["/streams/stable.json"]
