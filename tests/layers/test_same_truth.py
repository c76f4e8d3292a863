"""Plan and deploy tell the same truth for any valid declaration: only what was named is touched, and nothing is left."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.layers.conftest import PretendLab
from tests.layers.test_plan import planned
from zerotoil.layers import Site
from zerotoil.model.data_volume import DataMark, Filesystem, VolumeState
from zerotoil.resources.nas.mark import write_mark


def _with_their_luns(more: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The LUN of a volume never changes, whatever is declared beside it."""
    return {name: {**volume, "lun": {"media": 7, "db": 8}[name]} for name, volume in more.items()}


volume = st.fixed_dictionaries({"size": st.just("1 GiB"), "filesystem": st.sampled_from(["ext4", "xfs"])})
changes = st.fixed_dictionaries(
    {},
    optional={
        "vm_memory": st.sampled_from(["1 GiB", "3 GiB", "1025 MiB"]),
        "vm_cpus": st.integers(1, 8),
        "vm_autostart": st.booleans(),
        "vm_firmware": st.sampled_from(["bios", "uefi"]),
        "vm_usb": st.lists(st.sampled_from(["10c4:ea60", "1a86:55d4"]), unique=True),
        "vm_pci": st.lists(st.sampled_from(["0000:01:00.0", "0000:02:00.1"]), unique=True),
        "vm_nics": st.sampled_from(
            [
                [{"network": "default"}],
                [{"network": "default"}, {"bridge": "br0"}],
                [{"bridge": "br0", "address": "192.0.2.7/24", "gateway": "192.0.2.1"}],
            ]
        ),
        "vm_xml": st.sampled_from([None, "<devices><sound model='ich6'/></devices>", "<description>mine</description>"]),
        "vm_restart": st.sampled_from(["now", "later"]),
        "data_size": st.sampled_from(["20 GiB", "25 GiB"]),
        "data_snapshot_schedule": st.sampled_from(["0 2 * * *", "15 */4 * * 1-5"]),
        "data_snapshot_keep": st.sampled_from(["14 days", "2 weeks", "1 year"]),
        "data_snapshot_tiers": st.dictionaries(
            st.sampled_from(["hourly", "weekly"]),
            st.fixed_dictionaries({"schedule": st.sampled_from(["0 * * * *", "0 3 * * 0"]), "keep": st.just("3 months")}),
        ),
        "iscsi_initiators": st.sampled_from([["iqn.1993-08.org.debian:01:hv1"], ["iqn.1993-08.org.debian:01:hv2"]]),
        "iscsi_lun": st.integers(0, 3),
        "data_blocksize": st.sampled_from(["16 KiB", "64 KiB"]),
        "nas_alert_mail": st.sampled_from(["me@home.lan", "you@home.lan"]),
        "nas_alert_level": st.sampled_from(["info", "critical"]),
        "data_more": st.dictionaries(st.sampled_from(["media", "db"]), volume).map(_with_their_luns),
        "os_butane": st.sampled_from([[], ["storage: {directories: [{path: /etc/mine, mode: 0755}]}"]]),
    },
)
MAIL = {"nas_mail_server": "mail.lan", "nas_mail_from": "nas@home.lan"}
mail = st.sampled_from([{}, MAIL, MAIL | {"nas_mail_port": 8025, "nas_mail_security": "tls"}])
declarations = st.builds(lambda keys, of_mail: keys | of_mail, changes, mail)


def _resources(site: Site) -> set[str]:
    (host,) = planned(site)
    assert not host.problems, [str(problem) for problem in host.problems]
    return {change.resource for change in host.changes}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=declarations, second=declarations)
def test_apply_does_what_the_plan_named_and_leaves_nothing(
    lab: PretendLab, first: dict[str, Any], second: dict[str, Any]
) -> None:
    lab.forget_all()
    second = {**second, "data_size": max(first.get("data_size", "20 GiB"), second.get("data_size", "20 GiB"))}
    for declared in (first, second):
        site = lab.site(**declared)
        named = _resources(site)
        writes = lab.sim.writes
        touched = {change.resource for change in lab.apply(site)}
        assert touched <= named
        assert _resources(lab.site(**declared)) == set()
        before = lab.sim.writes
        assert lab.apply(lab.site(**declared)) == []
        assert lab.sim.writes == before >= writes


@pytest.mark.parametrize("gone", ["extent", "target", "mapping", "snapshot task", "VM"])
def test_what_was_deleted_by_hand_is_seen_and_mended(lab: PretendLab, gone: str) -> None:
    site = lab.site()
    lab.apply(site)
    lab.settle(site)
    if gone == "VM":
        site.hypervisor.run("test", lambda: site.hypervisor.connection.lookupByName("matrix").destroy())
        site.hypervisor.undefine("matrix")
    else:
        kinds = {"extent": "iscsi.extent", "target": "iscsi.target", "mapping": "iscsi.targetextent"}
        kind = kinds.get(gone, "pool.snapshottask")
        (entry,) = site.nas.query(kind)
        site.nas.write(f"{kind}.delete", entry["id"])
    (host,) = planned(site)
    assert any(change.resource.startswith(gone) for change in host.changes), [str(change) for change in host.changes]
    lab.apply(site)
    assert _resources(lab.site()) == set()


def switch_off(site: Site) -> None:
    site.hypervisor.run("test", lambda: site.hypervisor.connection.lookupByName("matrix").destroy())
    site.hypervisor.forget()


def delete(site: Site, suffix: str) -> str:
    (name,) = [name for name in site.hypervisor.storage.names("default") if name.startswith("matrix-") and name.endswith(suffix)]
    site.hypervisor.storage.delete("default", name)
    return name


def test_an_os_disk_deleted_by_hand_is_made_again_behind_the_guard(lab: PretendLab, monkeypatch: pytest.MonkeyPatch) -> None:
    site, asked = lab.site(), []
    lab.apply(site)
    lab.settle(site)
    name = delete(site, ".qcow2")
    (host,) = planned(site)
    assert [str(problem) for problem in host.problems] == [
        f"matrix: the OS disk default/{name} was deleted: the VM may run on until it goes off; zerotoil rebuild matrix"
    ]
    switch_off(site)
    (host,) = planned(site)
    assert [str(change) for change in host.changes] == [
        f"OS disk of matrix: create volume {name}",
        "power of VM matrix: running False -> True",
    ]
    monkeypatch.setattr(Site, "before_first_boot", lambda _site: asked.append("guard"))
    lab.apply(site)
    assert asked == ["guard"]
    assert _resources(lab.site()) == set()


def test_an_ignition_config_deleted_by_hand_comes_back_under_its_name(lab: PretendLab) -> None:
    site = lab.site()
    lab.apply(site)
    name = delete(site, ".ign")
    (host,) = planned(site)
    assert str(host.changes[0]) == f"Ignition config of matrix: create volume {name}"
    lab.apply(site)
    assert name in site.hypervisor.storage.names("default")
    assert _resources(lab.site()) == set()


def test_a_lost_volume_is_never_made_anew_empty(lab: PretendLab) -> None:
    site = lab.site()
    lab.apply(site)
    lab.settle(site)
    site.nas.write("pool.dataset.create", {"name": "tank/kept", "type": "VOLUME", "volsize": 1 << 30, "sparse": True})
    marks = [{"key": "zerotoil:owner", "value": site.spec.owner}]
    site.nas.write("pool.dataset.update", "tank/kept", {"user_properties_update": marks})
    site.nas.write("pool.dataset.delete", site.spec.zvol)  # takes the extent with it, as TrueNAS does
    before = lab.sim.writes
    (host,) = planned(site)
    expected = (
        "zvol tank/lab/matrix/data is gone, and its VM ran with it before; there is the volume tank/kept with its mark: "
        "nothing was made: an empty volume would take its place; bring it back on the NAS under its name"
    )
    assert expected in [str(problem) for problem in host.problems]
    with pytest.raises(Exception, match="is gone, and its VM ran with it before"):
        lab.apply(site)
    assert lab.sim.writes == before
    assert site.spec.zvol not in [entry["id"] for entry in site.nas.query("pool.dataset", ["pool", "=", "tank"])]


@pytest.mark.parametrize(("label", "is_it"), [("data", True), ("media", False)])
def test_a_volume_under_another_name_is_not_replaced_by_an_empty_one(lab: PretendLab, label: str, is_it: bool) -> None:
    """Renamed on the NAS, its VM deleted: only the mark tells. One of another label is another volume of the host."""
    site = lab.site()
    site.nas.write("pool.dataset.create", {"name": "tank/old", "type": "VOLUME", "volsize": 1 << 30, "sparse": True})
    write_mark(site.nas, "tank/old", DataMark(site.spec.owner, VolumeState.DATA, Filesystem("ext4", label, "1-2")))
    (host,) = planned(site)
    problems = [str(problem) for problem in host.problems]
    what = "zvol tank/lab/matrix/data is gone, and another volume holds data under its mark; there is the volume tank/old"
    assert any(problem.startswith(what) for problem in problems) is is_it, problems


def test_a_lost_volume_that_an_extent_still_serves_is_not_made_either(lab: PretendLab) -> None:
    site = lab.site()
    lab.apply(site)
    lab.sim.storage.destroy(site.spec.zvol)  # behind the middleware's back: zfs destroy
    site.nas.forget()
    (host,) = planned(lab.site())
    assert any("an extent still serves it; no snapshot and no clone of it is left" in str(p) for p in host.problems)
