"""Butane of a host: our template and the owner's fragments, against the real butane and ignition-validate."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import make_spec
from zerotoil.errors import LabError
from zerotoil.render.butane import TEMPLATES, Fragment, escape_unit, render_butane

GOLDEN = Path(__file__).parent / "golden"
SHIPPED = Path(__file__).parents[2] / "templates"
TEXTS = {name: (SHIPPED / name).read_text() for name in TEMPLATES}


def render(*fragments: str, **data: Any) -> dict[str, Any]:
    spec = make_spec(**data)
    text = render_butane(spec, TEXTS, spec.ssh.authorized_keys, [Fragment("mine.bu", text) for text in fragments])
    return yaml.safe_load(text)


def unit(config: dict[str, Any], name: str) -> dict[str, Any]:
    return next(unit for unit in config["systemd"]["units"] if unit["name"] == name)


def test_the_data_disk_is_never_wiped() -> None:
    filesystem = render()["storage"]["filesystems"]
    assert filesystem == [
        {
            "device": "/dev/disk/by-id/virtio-matrix-data",
            "path": "/var/mnt/data",
            "format": "ext4",
            "label": "data",
            "wipe_filesystem": False,
        }
    ]


def test_a_missing_data_disk_does_not_stop_the_boot() -> None:
    mount = unit(render(), "var-mnt-data.mount")["contents"]
    assert "nofail" in mount
    assert "local-fs.target" not in mount
    assert r"systemd-fsck@dev-disk-by\x2did-virtio\x2dmatrix\x2ddata.service" in mount


def test_static_addresses_become_keyfiles() -> None:
    nics = [
        {"bridge": "br0", "address": "192.0.2.21/24", "gateway": "192.0.2.1", "dns": ["192.0.2.1", "192.0.2.2"]},
        {"network": "default"},
    ]
    files = {file["path"]: file for file in render(vm_nics=nics)["storage"]["files"]}
    keyfile = files["/etc/NetworkManager/system-connections/zerotoil-0.nmconnection"]
    assert keyfile["mode"] == 0o600
    assert "method=manual\naddress1=192.0.2.21/24\ngateway=192.0.2.1\ndns=192.0.2.1;192.0.2.2;\n" in keyfile["contents"]["inline"]
    assert "/etc/NetworkManager/system-connections/zerotoil-1.nmconnection" not in files


def test_fragments_are_merged() -> None:
    config = render(
        "storage: {files: [{path: /etc/motd, contents: {inline: hi}}]}",
        "systemd: {units: [{name: docker.service, dropins: [{name: a.conf, contents: x}]}]}",
        "passwd: {users: [{name: core, ssh_authorized_keys: [ssh-ed25519 B]}, {name: ann}]}",
    )
    assert config["storage"]["files"][-1]["path"] == "/etc/motd"
    assert unit(config, "docker.service") == {
        "name": "docker.service",
        "enabled": True,
        "dropins": [{"name": "a.conf", "contents": "x"}],
    }
    assert config["passwd"]["users"][0]["ssh_authorized_keys"] == ["ssh-ed25519 AAAAC3Nza you@laptop", "ssh-ed25519 B"]
    assert config["passwd"]["users"][1] == {"name": "ann"}


@pytest.mark.parametrize(
    ("fragment", "message"),
    [
        (
            "storage: {disks: [{device: /dev/vdb, wipe_table: true}]}",
            "mine.bu may not declare storage.disks: disks and filesystems are zerotoil's",
        ),
        ("storage: {filesystems: [{device: /dev/vdb}]}", "may not declare storage.filesystems"),
        ("boot_device: {layout: x86_64}", "may not declare boot_device"),
        ("ignition: {config: {replace: {source: x}}}", "may not declare ignition"),
        ("storage: {files: [{path: /var/mnt/data/x}]}", "writes /var/mnt/data/x on the data disk"),
        ("systemd: {units: [{name: var-mnt-data.mount, enabled: false}]}", "would replace enabled, which is zerotoil's"),
        ("variant: flatcar", "is of variant flatcar: write variant: fcos"),
        ("[1, 2]", "is no Butane config"),
        ("a: [", "is no YAML"),
    ],
)
def test_fragments_cannot_endanger_the_data_disk(fragment: str, message: str) -> None:
    with pytest.raises(LabError, match=message.replace("[", r"\[")):
        render(fragment)


def test_unit_names_are_escaped_as_systemd_does() -> None:
    assert escape_unit("dev/disk/by-id/virtio-x") == r"dev-disk-by\x2did-virtio\x2dx"


def test_no_secret_reaches_the_config() -> None:
    from zerotoil.model.secret import Secret

    config = render(
        iscsi_chap_user="u", iscsi_chap_secret=Secret("chap-s3cret-00"), watchtower_notify_url=Secret("signal://s3cret")
    )
    assert "s3cret" not in json.dumps(config)


MORE = {"media": {"size": "2 TiB", "filesystem": "xfs", "mount": "/var/mnt/my-media"}, "db": {"size": "50 GiB"}}


def test_golden_with_two_more_volumes() -> None:
    spec = make_spec(data_more=MORE)
    text, file = render_butane(spec, TEXTS, spec.ssh.authorized_keys, []) + "\n", GOLDEN / "butane-volumes.yaml"
    if os.environ.get("ZEROTOIL_GOLDEN") == "write":
        file.write_text(text)
    assert text == file.read_text()


def test_no_volume_is_ever_wiped() -> None:
    found = render(data_more=MORE)["storage"]["filesystems"]
    assert [(one["path"], one["format"], one["label"], one["wipe_filesystem"]) for one in found] == [
        ("/var/mnt/data", "ext4", "data", False),
        ("/var/mnt/my-media", "xfs", "media", False),
        ("/var/mnt/db", "ext4", "db", False),
    ]
    assert unit(render(data_more=MORE), r"var-mnt-my\x2dmedia.mount")["enabled"]


@pytest.mark.parametrize(("backend", "unit_name"), [("docker", "docker.service"), ("podman", "zerotoil-podman.service")])
def test_containers_wait_for_all_volumes(backend: str, unit_name: str) -> None:
    (dropin,) = unit(render(data_more=MORE, container_backend=backend), unit_name)["dropins"]
    assert dropin["contents"].splitlines() == ["[Unit]", "RequiresMountsFor=/var/mnt/my-media /var/mnt/db"]
    assert "dropins" not in unit(render(container_backend=backend), "docker.service")


def test_so_does_k3s() -> None:
    (dropin,) = unit(render(data_more=MORE, k3s_role="server"), "k3s.service")["dropins"]
    assert dropin["contents"].splitlines() == ["[Unit]", "RequiresMountsFor=/var/mnt/my-media /var/mnt/db"]


def test_a_fragment_of_the_owner_adds_a_drop_in_beside_ours_and_writes_on_no_volume() -> None:
    theirs = "systemd: {units: [{name: docker.service, dropins: [{name: a.conf, contents: x}]}]}"
    names = [dropin["name"] for dropin in unit(render(theirs, data_more=MORE), "docker.service")["dropins"]]
    assert names == ["20-zerotoil-volumes.conf", "a.conf"]
    with pytest.raises(LabError, match="writes /var/mnt/db/x on the data disk"):
        render("storage: {files: [{path: /var/mnt/db/x, contents: {inline: hi}}]}", data_more=MORE)
