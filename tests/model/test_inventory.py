"""Flat data to specs: precedence, and a clear line for every wrong input."""

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import make_spec
from zerotoil.errors import LabError
from zerotoil.model.inventory import declare
from zerotoil.model.secret import Secret


def problems(data: dict[str, Any], name: str = "matrix") -> list[str]:
    return [str(problem) for problem in declare({name: [("host data", data)]}).problems]


def test_a_right_host_has_its_defaults(right: dict[str, Any]) -> None:
    spec = declare({"matrix": [("host data", right)]}).specs["matrix"]
    assert (spec.iscsi.target, spec.data.serial, spec.zvol) == ("matrix", "matrix-data", "tank/lab/matrix/data")
    assert spec.mac(0) == make_spec().mac(0) != make_spec("other").mac(0)


def test_higher_layers_win(right: dict[str, Any]) -> None:
    layers = [("--data", {"vm_cpus": 8}), ("host data", right), ("group 'vms'", {"vm_cpus": 4, "vm_memory": "4 GiB"})]
    spec = declare({"matrix": layers}).specs["matrix"]
    assert (spec.vm.cpus, spec.vm.memory) == (8, 4 << 30)


WRONG = [
    ({"vm_memry": "4 GiB"}, "matrix: vm_memry (from host data): unknown key; did you mean vm_memory?"),
    ({"vm_memory": "4 Gib"}, "matrix: vm_memory (from host data): '4 Gib' is not a size"),
    ({"vm_memory": 4096}, 'matrix: vm_memory (from host data): 4096 has no unit; write for instance "4096 MiB"'),
    ({"vm_memory": "100 MiB"}, "matrix: vm_memory (from host data): memory is a whole number of MiB, at least 512 MiB"),
    (
        {"nas_url": "ws://nas.lan"},
        "matrix: nas_url (from host data): ws://nas.lan is plain text: TrueNAS revokes a key sent that way",
    ),
    ({"nas_url": "http://nas.lan"}, "matrix: nas_url (from host data): http://nas.lan is plain text"),
    ({"nas_url": "nas.lan"}, "'nas.lan' is not an address of a NAS; write for instance wss://nas.lan"),
    ({"nas_api_key": "1-abcdef"}, "matrix: nas_api_key (from host data): a secret is not written in the inventory"),
    ({"nas_fingerprint": "ab:cd"}, "not a SHA-256 fingerprint"),
    ({"nas_dataset": "/mnt/tank"}, "'/mnt/tank' is not a dataset name; write for instance tank/lab"),
    ({"iscsi_initiators": ["hv1"]}, "'hv1' is not an initiator name"),
    (
        {"iscsi_initiators": []},
        "matrix: iscsi_initiators (from host data): an empty list; write at least one (IQNs",
    ),
    ({"iscsi_portal": ["0.0.0.0"]}, "iscsi_address is needed, since the portal 0.0.0.0 is no address to connect to"),
    ({"iscsi_target": "Matrix_1"}, "'Matrix_1' is not a target name"),
    ({"iscsi_chap_user": "hv1"}, "iscsi_chap_user and iscsi_chap_secret go together"),
    (
        {"iscsi_chap_peer_user": "nas", "iscsi_chap_peer_secret": Secret("nas-s3cret-0")},
        "mutual CHAP (iscsi_chap_peer_user) needs iscsi_chap_user too",
    ),
    ({"hypervisor_uri": "hv1"}, "'hv1' is not a libvirt address"),
    ({"vm_usb": ["zigbee"]}, "'zigbee' is not \"vendor:product\" in hex"),
    ({"vm_pci": ["01:00.0"]}, "'01:00.0' is not a PCI address"),
    ({"vm_nics": [{"network": "a", "bridge": "b"}]}, "a card is on either a network or a bridge"),
    (
        {"vm_nics": [{"bridge": "b", "address": "192.0.2.1"}]},
        "'192.0.2.1' has no prefix length; write for instance \"192.0.2.1/24\"",
    ),
    ({"vm_nics": [{"bridge": "b", "mac": "01:00:00:00:00:00"}]}, "is not a unicast MAC address"),
    (
        {"vm_nics": [{"bridge": "b", "address": "192.0.2.1/24", "reserve": True}]},
        "reserve needs a libvirt network and an address",
    ),
    ({"os_image": "/x.qcow2"}, "os_image needs os_image_sha256"),
    ({"data_filesystem": "btrfs"}, "matrix: data_filesystem (from host data): 'btrfs' is not known; write 'ext4' or 'xfs'"),
    (
        {"data_serial": "a-serial-that-is-too-long"},
        "data_serial (from host data): 'a-serial-that-is-too-long' is 25 bytes, virtio keeps 20",
    ),
    ({"data_snapshot_keep": "two weeks"}, "'two weeks' is not a duration"),
    ({"data_snapshot_naming": "nightly"}, "'nightly' holds not all of %Y %m %d %H %M"),
    ({"watchtower_image": "nickfedor/watchtower"}, "is not pinned; name a tag"),
    ({"watchtower_schedule": "30 4 * * *"}, "is not a schedule of six fields"),
    ({"watchtower_timezone": "Europe/Londn"}, "'Europe/Londn' is not a time zone"),
    ({"watchtower_cooldown": "1 month"}, "a cooldown is in hours, days or weeks"),
]


@pytest.mark.parametrize(("change", "line"), WRONG, ids=[next(iter(change)) + str(i) for i, (change, _) in enumerate(WRONG)])
def test_wrong_input_gets_a_clear_line(right: dict[str, Any], change: dict[str, Any], line: str) -> None:
    found = problems({**right, **change})
    assert len(found) == 1
    assert line in found[0]


def test_missing_keys_are_all_named_at_once(right: dict[str, Any]) -> None:
    del right["data_size"], right["nas_user"]
    assert problems(right) == [
        "matrix: nas_user: missing; user the API key belongs to",
        "matrix: data_size: missing; size of the volume; it may grow, never shrink",
    ]


def test_a_host_name_that_is_no_name(right: dict[str, Any]) -> None:
    assert "matrix_1" in problems(right, "matrix_1")[0]


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("vm_nics", [{"bridge": "br0", "mac": "52:54:00:00:00:01"}], "MAC 52:54:00:00:00:01 is already one's"),
        ("vm_nics", [{"bridge": "br0", "address": "192.0.2.9/24"}], "address 192.0.2.9 is already one's"),
        ("iscsi_target", "shared", "target shared is already one's"),
        ("data_serial", "shared", "disk serial shared is already one's"),
        ("vm_pci", ["0000:01:00.0"], "PCI device 0000:01:00.0 is already one's"),
        ("vm_usb", ["10c4:ea60"], "USB device 10c4:ea60 is already one's"),
    ],
)
def test_two_hosts_never_share(right: dict[str, Any], key: str, value: Any, line: str) -> None:
    data = {**right, key: value}
    found = declare({"one": [("group 'vms'", data)], "two": [("group 'vms'", data)]})
    assert [str(problem) for problem in found.problems] == [f"two: {key} (from group 'vms'): {line}; every host needs its own"]
    assert list(found.specs) == ["one"]


def test_one_bad_host_never_stops_the_others(right: dict[str, Any]) -> None:
    found = declare({"good": [("host data", right)], "bad": [("host data", {**right, "vm_cpus": 0})]})
    assert list(found.specs) == ["good"]
    assert not found.problems_of("good")


def test_secrets_print_as_asterisks(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("s3cret\n")
    path.chmod(0o600)
    secret = Secret.parse(f"file:{path}")
    assert (str(secret), f"{secret!r}", secret.reveal()) == ("********", "********", "s3cret")
    assert "s3cret" not in repr(make_spec(nas_api_key=Secret("s3cret")))


def test_a_secret_file_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("s3cret")
    path.chmod(0o644)
    with pytest.raises(LabError, match=f"the secret file {path} is readable by others: chmod 600"):
        Secret.parse(f"file:{path}").reveal()
    with pytest.raises(LabError, match="cannot be read"):
        Secret.parse(f"file:{tmp_path}/none").reveal()
    with pytest.raises(LabError, match="the secret env:NO_SUCH_VARIABLE is empty or missing"):
        Secret.parse("env:NO_SUCH_VARIABLE").reveal()
