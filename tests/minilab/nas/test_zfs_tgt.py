"""Real ZFS and a real tgtd, both of this test's own: another pool name, another control port, another portal port."""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time

import chain
import pytest
from wire import KEY, SECRET, Refused, Wire

from zerotoil.minilab.nas import Simulator, certificate
from zerotoil.minilab.nas.tgt import Tgt
from zerotoil.minilab.nas.zfs import ZfsStorage

pytestmark = [pytest.mark.lab, pytest.mark.skipif(os.geteuid() != 0, reason="real ZFS needs root")]
MIB = 1 << 20


def run(*words):
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.fixture
def pool(tmp_path, real_zfs):
    name, file, mount = f"zttest{secrets.token_hex(3)}", tmp_path / "pool.img", tmp_path / "mnt"
    with file.open("xb") as image:
        image.truncate(512 * MIB)
    run("zpool", "create", "-o", "cachefile=none", "-m", str(mount), name, str(file))
    yield name
    for _ in range(50):  # a file server that was just killed keeps the mount busy for a moment
        if subprocess.run(["zpool", "destroy", "-f", name], capture_output=True, timeout=60, check=False).returncode == 0:
            return
        time.sleep(0.1)
    pytest.fail(f"pool {name} is left behind")


@pytest.fixture
def tgtd():
    """Control port and portal port of a tgtd."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    control = 10000 + os.getpid() % 20000
    words = ["tgtd", "-f", "-C", str(control), "--iscsi", f"portal=127.0.0.1:{port}"]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        for _ in range(100):
            if subprocess.run(show(control), capture_output=True, timeout=5, check=False).returncode == 0:
                break
            process.poll()
        yield control, port
        process.send_signal(signal.SIGKILL)  # tgtd ignores SIGTERM


def show(control, mode="target"):
    return ["tgtadm", "-C", str(control), "--lld", "iscsi", "--op", "show", "--mode", mode]


@pytest.fixture
def sim(pool, tgtd):
    settings = {"users": {"zerotoil": KEY}, "iscsi_port": tgtd[1]}
    with Simulator("25.10", storage=ZfsStorage(pool), targets=Tgt(tgtd[0]), **settings) as sim:
        yield sim


def test_the_chain_is_served_and_a_clone_holds_the_old_data(sim, pool, tgtd):
    with Wire(sim) as call:
        made = chain.create(call, "25.10", pool, size=64 * MIB)
        served = run(*show(tgtd[0]))
        assert made["iscsi.targetextent.create"]["lunid"] == 1
        assert "iqn.2005-10.org.freenas.ctl:vm" in served
        assert chain.INITIATOR in served
        assert "labuser" in served
        file = sim.storage.device(f"{pool}/vm/data")
        assert f"Backing store path: {file}" in served
        with file.open("r+b") as volume:
            volume.write(b"before")
        call("pool.snapshot.create", {"dataset": f"{pool}/vm/data", "name": "one"})
        with file.open("r+b") as volume:
            volume.write(b"after!")
        grown = call("pool.dataset.update", f"{pool}/vm/data", {"volsize": 128 * MIB})
        assert (grown["volsize"]["parsed"], file.stat().st_size) == (128 * MIB, 128 * MIB)
        assert "134 MB" in run(*show(tgtd[0]))
        call("pool.snapshot.clone", {"snapshot": f"{pool}/vm/data@one", "dataset_dst": f"{pool}/vm/copy"})
        copy = call("pool.dataset.get_instance", f"{pool}/vm/copy")
        assert copy["volsize"]["parsed"] == 64 * MIB
        assert copy["origin"]["parsed"] == f"{pool}/vm/data@one"
        assert sim.storage.device(f"{pool}/vm/copy").read_bytes()[:6] == b"before"
        with pytest.raises(Refused):
            call("pool.dataset.delete", f"{pool}/vm/data", {"recursive": True})
        call("service.control", "STOP", "iscsitarget")
        assert "iqn." not in run(*show(tgtd[0]))


def test_lun_0_is_tgts_own(sim, pool):
    with Wire(sim) as call:
        made = chain.create(call, "25.10", pool)
        ids = {"target": made["iscsi.target.create"]["id"], "extent": made["iscsi.extent.create"]["id"]}
        with pytest.raises(Refused) as refused:
            call("iscsi.targetextent.update", made["iscsi.targetextent.create"]["id"], {**ids, "lunid": 0})
        assert refused.value.where == ["iscsi_targetextent_update.lunid"]


def test_user_properties_and_reservation_are_real(sim, pool):
    with Wire(sim) as call:
        mark = {"key": "zerotoil:owner", "value": "vm 1"}
        volume = {"name": f"{pool}/thick", "type": "VOLUME", "volsize": 64 * MIB, "user_properties": [mark], "comments": "c"}
        row = call("pool.dataset.create", {**volume, "compression": "ZSTD"})
        assert run("zfs", "get", "-H", "-o", "value", "zerotoil:owner", f"{pool}/thick").strip() == "vm 1"
        assert (row["refreservation"]["parsed"], row["compression"]["value"], row["comments"]["value"]) == (64 * MIB, "ZSTD", "c")
        assert list(row["user_properties"]) == ["zerotoil:owner"]
        assert call("pool.dataset.delete", f"{pool}/thick") is True
        assert call("pool.dataset.query", [["id", "=", f"{pool}/thick"]]) == []


def test_the_daemon_says_ready_and_keeps_its_state(tmp_path, pool, tgtd):
    cert, key = certificate.make(tmp_path, "127.0.0.1")
    users = tmp_path / "users.json"
    users.write_text(json.dumps({"zerotoil": KEY}))
    users.chmod(0o600)
    state = tmp_path / "state"
    state.mkdir()
    config = {
        "version": "25.10",
        "address": "127.0.0.1",
        "port": 0,
        "cert": str(cert),
        "key": str(key),
        "users_file": str(users),
        "pool": pool,
        "state": str(state),
        "storage": "zfs",
        "targets": "tgt",
        "control_port": tgtd[0],
    }
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        config["port"] = free.getsockname()[1]
    file = tmp_path / "config.json"
    file.write_text(json.dumps(config))

    class Daemon:
        url, ca_file, nas = f"wss://127.0.0.1:{config['port']}", cert, None

    for name in (None, "kept"):
        with subprocess.Popen([sys.executable, "-m", "zerotoil.minilab.nas", file], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout.readline() == "ready\n"
            with Wire(Daemon, "/api/current") as call:
                if name is None:
                    call("iscsi.initiator.create", {"comment": "kept"})
                else:
                    assert [row["comment"] for row in call("iscsi.initiator.query")] == [name]
            process.terminate()
            assert process.wait(timeout=10) == 0


def test_only_the_named_initiator_with_the_chap_secret_logs_in(sim, pool, tgtd):
    if not shutil.which("qemu-img"):
        pytest.skip("no qemu-img")
    with Wire(sim) as call:
        chain.create(call, "25.10", pool)
    right = {"user": "labuser", "password": SECRET, "initiator-name": chain.INITIATOR}
    assert json.loads(login(tgtd[1], **right).stdout)["virtual-size"] == 64 * MIB
    assert login(tgtd[1], **{**right, "password": "wrongsecret123"}).returncode
    assert login(tgtd[1], **{**right, "initiator-name": "iqn.2026-01.lab.test:other"}).returncode


def login(port, **options):
    target = {"transport": "tcp", "portal": f"127.0.0.1:{port}", "target": "iqn.2005-10.org.freenas.ctl:vm", "lun": 1}
    description = json.dumps({"driver": "raw", "file": {"driver": "iscsi", **target, **options}})
    return subprocess.run(
        ["qemu-img", "info", "--output=json", "json:" + description], capture_output=True, text=True, timeout=30, check=False
    )
