"""The hypervisor layer on libvirt's test driver: made once, mended in place, never restarted, never taken over."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from tests.conftest import make_spec
from tests.resources.hypervisor.conftest import IQN, Lab, make_lab
from zerotoil.errors import LabError
from zerotoil.model.spec import HostSpec
from zerotoil.render.domain_mark import read_mark
from zerotoil.resources.hypervisor import observed, pending, prepare, prune, switch
from zerotoil.resources.hypervisor.domain import Domain
from zerotoil.resources.resource import Action, Change, Risk

NET = {"data_attach": "network"}


def fields(changes: list[Change]) -> set[str]:
    return {change.field for change in changes}


def definition(lab: Lab, name: str = "matrix") -> etree._Element:
    lab.hypervisor.forget()
    return etree.fromstring(lab.hypervisor.domain_xml(name).encode())


def edit(lab: Lab, pattern: str, replacement: str) -> None:
    """Change the VM by hand, as a person with `virsh edit` would."""
    text = etree.tostring(definition(lab), encoding="unicode")
    edited = re.sub(pattern, replacement, text, flags=re.DOTALL)
    assert edited != text
    lab.hypervisor.define("matrix", edited)


def test_a_new_vm_in_order_then_nothing(lab: Lab) -> None:
    spec = make_spec(**NET)
    assert {change.action for change in lab.plan(spec)} == {Action.CREATE}
    assert lab.calls == []  # a plan fetches no image
    lab.apply(spec)
    assert lab.calls == ["image", "guard", "first start"]
    vm = observed(spec, lab.hypervisor)
    assert (vm.exists, vm.running, vm.ours, vm.generation) == (True, True, True, 1)
    before = dict(lab.hypervisor.writes)
    assert lab.plan(spec) == [] == lab.apply(spec)
    assert dict(lab.hypervisor.writes) == before
    assert lab.calls == ["image", "guard", "first start"]


def test_only_what_was_changed_by_hand_is_mended(lab: Lab) -> None:
    spec = make_spec(**NET)
    lab.apply(spec)
    uuid = definition(lab).findtext("uuid")
    edit(lab, r"<memory unit='KiB'>\d+</memory>|<memory unit=\"KiB\">\d+</memory>", "<memory unit='KiB'>4194304</memory>")
    edit(lab, "</devices>", "<sound model='ich6'/></devices>")
    changes = lab.plan(spec)
    assert [str(change) for change in changes] == ["VM matrix: memory 4 GiB -> 2 GiB"]
    assert changes[0].risk is Risk.RESTART
    assert fields(lab.apply(spec)) == {"memory"}
    now = definition(lab)
    assert (now.findtext("memory"), now.findtext("currentMemory"), now.findtext("uuid")) == ("2097152", "2097152", uuid)
    assert now.find("devices/sound") is not None  # added by a person
    assert lab.plan(spec) == []


@pytest.mark.parametrize(
    ("pattern", "replacement", "field"),
    [
        (r"<vcpu[^>]*>2<", "<vcpu>4<", "cpus"),
        (r'error_policy="stop"', 'error_policy="report"', "data disk driver@error_policy"),
        (r"<serial>matrix-data</serial>", "", "data disk serial"),
        (r"matrix/0", "other/0", "data disk source@name"),
        (r'<source network="default"', '<source network="other"', "source@network"),
        (r"<sysinfo.*?</sysinfo>", "", "Ignition config"),
        (r"(<interface.*?</interface>)", "", make_spec(**NET).mac(0)),
    ],
)
def test_each_declared_field_is_mended(lab: Lab, pattern: str, replacement: str, field: str) -> None:
    spec = make_spec(**NET)
    lab.apply(spec)
    edit(lab, pattern, replacement)
    assert any(name.endswith(field) for name in fields(lab.plan(spec)))
    lab.apply(spec)
    assert lab.plan(spec) == []
    assert len(definition(lab).findall("devices/disk")) == 2


DECLARED: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({}, {"vm_usb": ["10c4:ea60"]}, "usb 10c4:ea60"),
    ({"vm_pci": ["0000:01:00.0"]}, {}, "pci 0000:01:00.0"),
    ({"vm_firmware": "bios"}, {"vm_firmware": "uefi"}, "firmware"),
    ({"vm_nics": [{"network": "default"}, {"bridge": "br1"}]}, {}, "card "),
    ({}, {"vm_nics": [{"network": "default"}, {"bridge": "br1"}]}, "card "),
    ({"vm_nics": [{"network": "default"}]}, {"vm_nics": [{"bridge": "br1"}]}, "source@bridge"),
    ({}, {"vm_xml": "<devices><graphics type='vnc'/></devices>"}, "vm_xml"),
    (
        {"vm_xml": "<devices><graphics type='vnc'/></devices>"},
        {"vm_xml": "<devices><graphics type='spice'/></devices>"},
        "vm_xml",
    ),
    ({"vm_xml": "<features><pae/></features><devices><watchdog model='i6300esb'/></devices>"}, {}, "vm_xml"),
    ({"data_serial": "old"}, {"data_serial": "new"}, "data disk serial"),
    ({"data_attach": "network"}, {"data_attach": "block"}, "data disk source@dev"),
    ({"iscsi_chap_user": "u", "iscsi_chap_secret": "env:X"}, {}, "data disk source/auth@username"),
    ({}, {"iscsi_address": "192.0.2.99"}, "data disk source/host@name"),
]


@pytest.mark.parametrize(("first", "then", "field"), DECLARED)
def test_a_changed_declaration_is_followed(lab: Lab, first: dict[str, Any], then: dict[str, Any], field: str) -> None:
    kept = NET if "data_attach" not in first else {}
    apply_domain(lab, make_spec(**{**kept, **first}))
    spec = make_spec(**{**kept, **then})
    assert any(field in name for name in fields(domain(lab, spec).plan()))
    domain(lab, spec).apply()
    fresh = make_lab(lab.image.path.parent)
    apply_domain(fresh, spec)
    assert shape(definition(lab)) == shape(definition(fresh))  # as if it had been declared so from the start


def shape(tree: etree._Element) -> list[Any]:
    """What a definition says, whatever its order; ports and identifiers aside."""
    noise = ("uuid", "controller", "address", "metadata")
    lines = [
        etree.tostring(e, method="c14n", with_tail=False).split()
        for e in [*tree, *tree.findall("devices/*")]
        if e.tag not in noise
    ]
    return sorted(b"".join(line) for line in lines if not line[0].startswith(b"<devices"))


def domain(lab: Lab, spec: HostSpec) -> Domain:
    lab.hypervisor.forget()
    return next(resource for resource in lab.resources(spec) if isinstance(resource, Domain))


def apply_domain(lab: Lab, spec: HostSpec) -> None:
    """Everything but secrets, pools and power, which the test driver lacks."""
    wanted = ("BaseImage", "OsDisk", "IgnitionVolume", "Domain")
    for resource in lab.resources(spec):
        if type(resource).__name__ in wanted:
            resource.apply()


def test_a_vm_that_is_not_ours_is_refused(lab: Lab) -> None:
    lab.hypervisor.define("matrix", "<domain type='test'><name>matrix</name><memory>1</memory><os><type>hvm</type></os></domain>")
    for act in (lab.plan, lab.apply):
        with pytest.raises(LabError, match="has a VM of that name that is not ours"):
            act(make_spec(**NET))
    assert lab.hypervisor.storage.names("default") == frozenset()
    assert not observed(make_spec(**NET), lab.hypervisor).ours


def test_another_labs_vm_is_refused(lab: Lab) -> None:
    lab.apply(make_spec(**NET))
    with pytest.raises(LabError, match="belongs to home/matrix"):
        lab.plan(make_spec(lab_name="other", **NET))


def test_the_guard_stands_before_the_definition(lab: Lab) -> None:
    lab.refuse = True
    with pytest.raises(LabError, match="partition table"):
        lab.apply(make_spec(**NET))
    assert lab.hypervisor.domains() == {}


def test_a_vm_that_never_booted_meets_the_guard_again(lab: Lab) -> None:
    spec = make_spec(**NET)
    apply_domain(lab, spec)  # cut off before the first start
    assert not lab.hypervisor.domains()["matrix"].autostart  # nor may the hypervisor start it
    lab.calls.clear()
    lab.refuse = True
    with pytest.raises(LabError, match="partition table"):
        lab.apply(spec)
    assert (lab.calls, lab.hypervisor.domains()["matrix"].active) == (["guard"], False)
    lab.refuse = False
    lab.apply(spec)
    assert lab.calls == ["guard", "guard", "first start"]
    assert read_mark(definition(lab)).booted  # type: ignore[union-attr]


def test_a_vm_that_was_off_is_started_without_ceremony(lab: Lab) -> None:
    spec = make_spec(**NET)
    lab.apply(spec)
    lab.calls.clear()
    lab.hypervisor.power_off("matrix")
    lab.hypervisor.set_autostart("matrix", False)
    assert fields(lab.plan(spec)) == {"running", "autostart"}
    lab.apply(spec)
    assert (lab.calls, lab.plan(spec)) == ([], [])


def test_a_vm_undefined_by_hand_gets_its_os_disk_back(lab: Lab) -> None:
    spec = make_spec(**NET)
    lab.apply(spec)
    lab.hypervisor.power_off("matrix")
    lab.hypervisor.undefine("matrix")
    lab.calls.clear()
    lab.apply(spec)
    assert lab.calls == ["guard", "first start"]  # no image
    assert [name for name in lab.hypervisor.storage.names("default") if "-os-" in name] == ["matrix-os-1.qcow2"]


def test_a_lost_os_disk_asks_for_a_rebuild(lab: Lab) -> None:
    spec = make_spec(**NET)
    lab.apply(spec)
    lab.hypervisor.storage.delete("default", "matrix-os-1.qcow2")
    with pytest.raises(LabError, match="zerotoil rebuild matrix"):
        lab.plan(spec)


def test_a_new_config_is_not_drift_of_the_vm(lab: Lab) -> None:
    spec = make_spec(**NET)
    lab.apply(spec)
    first = observed(spec, lab.hypervisor).ignition_sha256
    lab.ignition = "{}"
    assert lab.plan(spec) == []
    assert observed(spec, lab.hypervisor).ignition_sha256 == first


def test_missing_network_and_pool_are_named(lab: Lab) -> None:
    with pytest.raises(LabError, match="no network 'lan'"):
        lab.plan(make_spec(vm_nics=[{"network": "lan"}], **NET))
    with pytest.raises(LabError, match=r"no storage pool 'ssd' \(it has: default\)"):
        lab.plan(make_spec(hypervisor_pool="ssd", **NET))


def test_reservation(lab: Lab) -> None:
    spec = make_spec(vm_nics=[{"network": "default", "address": "192.168.122.20/24", "reserve": True}], **NET)
    assert "DHCP reservation" in str(lab.plan(spec)[0])
    lab.apply(spec)
    moved = make_spec(vm_nics=[{"network": "default", "address": "192.168.122.21/24", "reserve": True}], **NET)
    assert [str(c) for c in lab.plan(moved)] == [
        f"DHCP reservation default {spec.mac(0)}: address 192.168.122.20 -> 192.168.122.21"
    ]
    lab.apply(moved)
    other = make_spec("other", vm_nics=[{"network": "default", "address": "192.168.122.21/24", "reserve": True}], **NET)
    with pytest.raises(LabError, match=r"192\.168\.122\.21 is reserved for"):
        lab.plan(other)


def test_rebuild_keeps_the_old_disk_and_guards_the_new_one(lab: Lab) -> None:
    spec = make_spec(**NET)
    lab.apply(spec)
    lab.image.sha256, lab.image.release = "cd" * 32, "45.1"
    first = prepare(spec, lab.hypervisor, ignition="{}", image=lab.image)
    assert prepare(spec, lab.hypervisor, ignition="{}", image=lab.image) == first  # interrupted, again
    with pytest.raises(LabError, match="still runs"):
        switch(spec, lab.hypervisor, first, lambda: "")
    lab.hypervisor.power_off("matrix")
    switch(spec, lab.hypervisor, first, lambda: "")
    switch(spec, lab.hypervisor, first, lambda: "")
    vm = observed(spec, lab.hypervisor)
    assert (vm.generation, vm.os_release, vm.ignition_sha256) == (2, "45.1", first.ignition_sha256)
    assert not lab.hypervisor.domains()["matrix"].autostart
    lab.calls.clear()
    lab.apply(spec)
    assert lab.calls == ["guard", "first start"]
    prune(spec, lab.hypervisor)
    names = lab.hypervisor.storage.names("default")
    assert {"matrix-os-1.qcow2", "matrix-os-2.qcow2"} <= names  # os_keep is 1
    assert len([name for name in names if name.endswith(".ign")]) == 2, "one belongs to the OS disk that is kept"
    assert lab.plan(spec) == []


def test_prune_never_touches_anything_else(lab: Lab) -> None:
    spec = make_spec(os_keep=0, **NET)
    lab.apply(spec)
    others = ["matrix-os-7.qcow2", "matrix-data.qcow2", "matrix2-os-0.qcow2", "matrix-x-0123456789ab.ign", "matrix-os-0.qcow2"]
    for name in others:
        lab.hypervisor.storage.upload("default", name, b"x")
    assert prune(spec, lab.hypervisor) == ["matrix-os-0.qcow2"]
    assert set(others[:-1]) < lab.hypervisor.storage.names("default")


def test_pending_until_the_next_start(lab: Lab) -> None:
    spec = make_spec(**NET)
    lab.apply(spec)
    assert pending(spec, lab.hypervisor, IQN) == []
    more = make_spec(vm_cpus=4, **NET)
    lab.apply(more)
    assert [str(change) for change in pending(more, lab.hypervisor, IQN)] == ["VM matrix: cpus 2 -> 4"]


@st.composite
def declarations(draw: st.DrawFn) -> dict[str, Any]:
    nic = st.sampled_from([{"network": "default"}, {"bridge": "br0"}, {"network": "default", "address": "192.168.122.9/24"}])
    return {
        **NET,
        "vm_memory": f"{draw(st.integers(512, 9000))} MiB",
        "vm_cpus": draw(st.integers(1, 64)),
        "vm_nics": draw(st.lists(nic, min_size=1, max_size=4).filter(lambda cards: sum("address" in card for card in cards) < 2)),
        "vm_firmware": draw(st.sampled_from(["bios", "uefi"])),
        "vm_autostart": draw(st.booleans()),
        "vm_usb": draw(
            st.lists(st.from_regex(r"[1-9a-f][0-9a-f]{3}:[1-9a-f][0-9a-f]{3}", fullmatch=True), max_size=2, unique=True)
        ),
        "vm_pci": draw(st.lists(st.sampled_from(["0000:01:00.0", "0000:0a:1f.7"]), max_size=2, unique=True)),
        "iscsi_lun": draw(st.integers(0, 16382)),
        "data_serial": draw(st.from_regex(r"[a-z]{1,20}", fullmatch=True)),
        "vm_xml": draw(st.sampled_from([None, "<cpu mode='host-model'/>", "<devices><watchdog model='i6300esb'/></devices>"])),
    }


@settings(max_examples=20, deadline=None)
@given(first=declarations(), second=declarations())
def test_after_apply_nothing_is_left(tmp_path_factory: pytest.TempPathFactory, first: Any, second: Any) -> None:
    lab = make_lab(tmp_path_factory.mktemp("node"))
    for data in (first, second):  # made, then changed into something else
        spec = make_spec(**data)
        lab.apply(spec)
        assert lab.plan(spec) == []
