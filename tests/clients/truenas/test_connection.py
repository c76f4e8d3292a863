"""Getting to the NAS, and being told clearly when it cannot be."""

import json
from pathlib import Path

import pytest

from tests.resources.nas.conftest import KEY, VERSIONS, connect, simulator
from zerotoil.clients.truenas import Nas, NasError
from zerotoil.clients.truenas.versions import newest_common
from zerotoil.model.secret import Secret

EXPECTED = {"24.10": "v24.10", "25.04": "v25.04.2", "25.10": "v25.10.5", "26": "v26.0.0"}


@pytest.mark.parametrize("version", VERSIONS)
def test_the_newest_common_version_is_spoken(version: str) -> None:
    with simulator(version) as sim:
        nas = connect(sim)
        assert nas.capabilities.version == EXPECTED[version]
        assert nas.query("pool")[0]["name"] == "tank"


def test_a_newer_nas_still_speaks_an_older_version() -> None:
    assert newest_common(["v25.10.5", "v26.0.0", "v27.0.0"]) == "v26.0.0"
    assert newest_common(["v27.0.0"]) is None


def test_a_plain_text_url_is_refused_before_the_key_is_read() -> None:
    with pytest.raises(NasError, match="ws://127.0.0.1 is plain text: TrueNAS revokes a key sent that way"):
        Nas.connect("ws://127.0.0.1", "zerotoil", Secret(source="file:/nosuch"))


@pytest.mark.parametrize("version", ["24.10", "25.10"])
def test_a_wrong_key(version: str) -> None:
    with simulator(version) as sim, pytest.raises(NasError, match="does not accept the API key") as caught:
        connect(sim, key="1-wrong-s3cret")
    assert "s3cret" not in str(caught.value)


def test_a_revoked_key() -> None:
    with simulator("25.10") as sim:
        sim.faults.revoked.add("zerotoil")
        with pytest.raises(NasError, match="says the API key of zerotoil is revoked or expired: make a new one"):
            connect(sim)


def test_a_certificate_that_is_not_the_pinned_one() -> None:
    with (
        simulator() as sim,
        pytest.raises(NasError, match=f"has the SHA-256 {sim.fingerprint}, pinned is {'0' * 64}: if the NAS"),
    ):
        connect(sim, fingerprint="0" * 64)


def test_an_untrusted_certificate() -> None:
    with simulator() as sim, pytest.raises(NasError, match="the certificate of wss://.* is not trusted .*: set nas_ca"):
        connect(sim, fingerprint=None)


def test_a_ca(tmp_path: Path) -> None:
    with simulator() as sim:
        assert connect(sim, fingerprint=None, ca=sim.ca_file).query("pool")
    with simulator() as sim, pytest.raises(NasError, match="the CA certificate .*none.pem cannot be read"):
        connect(sim, fingerprint=None, ca=tmp_path / "none.pem")


def test_an_unreachable_nas() -> None:
    with pytest.raises(NasError, match=r"the NAS wss://127.0.0.1:9 cannot be reached \(Connection refused\)"):
        Nas.connect("wss://127.0.0.1:9", "zerotoil", Secret(KEY))


def test_a_nas_that_hangs_meets_the_deadline() -> None:
    with simulator() as sim:
        nas = connect(sim, timeout=1)
        sim.faults.hang.add("iscsi.target.query")
        with pytest.raises(NasError, match=r"did not answer iscsi.target.query in 1 s"):
            nas.query("iscsi.target")


def test_a_dropped_socket_is_opened_again_for_reading_only() -> None:
    with simulator() as sim:
        nas = connect(sim)
        sim.faults.drop_after = 1
        assert nas.query("pool")
        sim.faults.drop_after = 1
        with pytest.raises(NasError, match="dropped the connection during pool.dataset.create: run again"):
            nas.write("pool.dataset.create", {"name": "tank/x", "type": "FILESYSTEM"})


def test_a_refusal_names_the_field() -> None:
    with simulator() as sim, pytest.raises(NasError, match=r"the NAS refuses pool.dataset.create \(.*name.*\)"):
        connect(sim).write("pool.dataset.create", {"name": "tank", "type": "FILESYSTEM"})


def test_the_key_is_in_no_error_and_no_record() -> None:
    with simulator() as sim:
        connect(sim)
        assert KEY not in json.dumps([str(call) for call in sim.calls])


def test_a_write_after_idling_finds_an_open_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    with simulator() as sim:
        nas = connect(sim)
        sim.faults.drop_after = 1  # as TrueNAS does to a socket that idled while a VM booted
        monkeypatch.setattr("zerotoil.clients.truenas.nas._IDLE_SECONDS", -1)
        nas.write("pool.dataset.create", {"name": "tank/x", "type": "FILESYSTEM"})
        assert nas.query("pool.dataset", ["id", "=", "tank/x"])
