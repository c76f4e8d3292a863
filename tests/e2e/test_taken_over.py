"""A real VM that carries no mark of zerotoil's: adopted as it runs, deployed without a restart, restarted when asked, moved to
another OS disk and back.

It is the VM of the other tests with every mark taken off, on libvirt, on the NAS and in ZFS, as if a person had made it.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.deployed import assert_unchanged, run, writes, zerotoil
from tests.e2e.guide_plan_and_drift import BIN, HOST, LAB, ROOT, in_guest, virsh
from tests.e2e.other_os import another_release
from zerotoil.render.domain_mark import URI as MARK

pytestmark = [pytest.mark.lab, pytest.mark.e2e, pytest.mark.long, pytest.mark.usefixtures("lab")]

FORGET = """
from zerotoil.clients.truenas import Nas
from zerotoil.minilab import layout
from zerotoil.model.secret import Secret
key = Secret(source=f"file:{layout.NAS_KEY_FILE}")
nas = Nas.connect(f"wss://{layout.ADDRESS}:{layout.NAS_PORT}", layout.NAS_USER, key, ca=layout.CA_CERT)
for entry in nas.query("pool.dataset"):
    marks = {name: value for name, value in entry["user_properties"].items() if name.startswith("zerotoil:")}
    ours = [{"key": name, "remove": True} for name, value in marks.items() if value["source"] == "LOCAL"]
    if ours:
        nas.write("pool.dataset.update", entry["id"], {"user_properties_update": ours})
(extent,) = nas.query("iscsi.extent")
nas.write("iscsi.extent.update", extent["id"], {"comment": ""})
"""
WHERE = """
from zerotoil.minilab import layout
print(f"wss://{layout.ADDRESS}:{layout.NAS_PORT}", layout.NAS_USER, layout.NAS_KEY_FILE, layout.CA_CERT, layout.SSH_KEY,
      layout.CHAP_SECRET_FILE)
"""


def boot() -> str:
    return in_guest("cat /proc/sys/kernel/random/boot_id")


def plan_of(inventory: Path, *more: str, code: int) -> list[str]:
    """What `zerotoil plan` of the written inventory names, as "resource: field"."""
    line = [str(BIN / "zerotoil"), "plan", str(inventory), "--json", *more]
    done = subprocess.run(line, cwd=ROOT, env=LAB, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
    assert done.returncode == code, done.stdout + done.stderr
    layers = json.loads(done.stdout)["hosts"][0]["layers"]
    return [f"{change['resource']}: {change['field']}" for layer in layers for change in layer["changes"]]


@pytest.fixture(scope="module")
def adopted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, list[str]]]:
    """The inventory that `zerotoil adopt` writes of the VM, and the arguments that give it the CHAP secret."""
    run(sys.executable, "-c", FORGET, seconds=60)
    for state in ("--live", "--config"):
        virsh("metadata", HOST, "--uri", MARK, "--remove", state)
    url, user, key, ca, ssh_key, chap = run(sys.executable, "-c", WHERE).split()
    inventory = tmp_path_factory.mktemp("adopt") / "lab.py"
    said = zerotoil(
        "adopt", "--nas", url, "--nas-user", user, "--nas-api-key", f"file:{key}", "--nas-ca", ca,
        "--hypervisor", "qemu:///system", "--lab-name", "demo", "--ssh-user", "core", "--ssh-key", ssh_key,
        "--output", str(inventory), HOST,
    )  # fmt: skip
    assert "was written; nothing else was changed" in said
    yield inventory, ["--data", f"iscsi_chap_secret=file:{chap}"]


def test_adopting_writes_nothing_and_deploying_restarts_nothing(adopted: tuple[Path, list[str]]) -> None:
    inventory, secret = adopted
    in_guest("echo precious | sudo tee /var/mnt/data/adopted >/dev/null && sync")
    before, started = boot(), virsh("domid", HOST)
    gains = plan_of(inventory, *secret, code=2)
    assert {f"zvol tank1/lab/{HOST}/data: owner", f"VM {HOST}: mark"} <= set(gains), gains
    assert not any("create" in line for line in gains)
    run(str(BIN / "pyinfra"), "-y", str(inventory), "deploys/full.py", *secret)
    assert plan_of(inventory, *secret, code=0) == []
    asked = writes()
    assert_unchanged(run(str(BIN / "pyinfra"), "-y", str(inventory), "deploys/full.py", *secret))
    assert writes() == asked
    assert (boot(), virsh("domid", HOST)) == (before, started)
    assert in_guest("cat /var/mnt/data/adopted") == "precious\n"


def test_restart_now_restarts_the_real_vm_gracefully(adopted: tuple[Path, list[str]]) -> None:
    inventory, secret = adopted
    more = [*secret, "--data", "vm_memory=1536 MiB"]
    before = boot()
    assert plan_of(inventory, *more, code=2) == [f"VM {HOST}: memory"]
    said = run(str(BIN / "pyinfra"), "-y", str(inventory), "deploys/full.py", *more, "--data", "restart=now")
    assert re.search(rf"VM {HOST}: memory 2 GiB -> 1.5 GiB|memory 2 GiB -> 1536 MiB", said), said
    assert boot() != before
    assert int(in_guest("awk '/MemTotal/ {print $2}' /proc/meminfo")) < 1536 * 1024
    assert in_guest("cat /var/mnt/data/adopted") == "precious\n"
    assert "shutdown" in in_guest("sudo journalctl -b -1 --no-pager --output=cat | tail -n 400").lower()
    assert plan_of(inventory, *more, code=0) == []


def test_it_moves_to_an_os_disk_of_ours_and_back(adopted: tuple[Path, list[str]], tmp_path: Path) -> None:
    inventory, secret = adopted
    image, sha256 = another_release(tmp_path)
    keys = ["vm_memory=1536 MiB", "watchtower_enabled=false"]  # its registry's CA is of the demo's inventory
    line = [str(BIN / "pyinfra"), "-y", str(inventory), "deploys/migrate.py", *secret]
    declared = [word for key in keys for word in ("--data", key)]
    in_guest("sudo touch /etc/adopted")  # on its OS disk alone
    run(*line, *declared, "--data", f"os_image={image}", "--data", f"os_image_sha256={sha256}")
    assert in_guest("ls /etc/adopted 2>&1 || true").endswith("No such file or directory\n"), "another OS disk"
    assert in_guest("cat /var/mnt/data/adopted") == "precious\n"
    run(*line, *declared, "--data", "back=yes")
    assert in_guest("ls /etc/adopted") == "/etc/adopted\n", "its own"
    assert plan_of(inventory, *secret, *declared, code=0) == []
    assert in_guest("cat /var/mnt/data/adopted") == "precious\n"
