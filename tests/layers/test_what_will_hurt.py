"""Notices of what hurts if nobody looks: a data volume whose schedule makes no snapshot, a certificate that ends."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.layers.conftest import PretendLab
from tests.resources.nas.conftest import apply, connect, host, sim  # noqa: F401
from zerotoil.clients.truenas.wire import certificate_ends
from zerotoil.layers import Site
from zerotoil.layers.plan import plan_lab
from zerotoil.layers.snapshots import overdue
from zerotoil.minilab.nas import Simulator
from zerotoil.resources.resource import Kind, Notice

DAY = 86400


def storage(lab: PretendLab) -> Any:
    return lab.sim.storage


def age(lab: PretendLab, site: Site, days: float) -> None:
    """The volume was made that long ago."""
    known = storage(lab)._datasets
    known[site.spec.zvol] = replace(known[site.spec.zvol], creation=int(time.time() - days * DAY))


def snapshot(lab: PretendLab, site: Site, name: str, days: float) -> None:
    full = f"{site.spec.zvol}@{name}"
    storage(lab).snapshot([full], {})
    storage(lab)._snapshots[full].creation = int(time.time() - days * DAY)


def told(*sites: Site) -> list[Notice]:
    sites[0].nas.forget()
    return [notice for host in plan_lab(sites).hosts for notice in host.notices]


@pytest.mark.parametrize(
    ("volume", "snapshots", "words"),
    [
        (1, {}, ""),  # not due yet
        (2.01, {}, ""),
        (3, {}, "no snapshot, and it was made on"),
        (30, {"auto-2026-01-01_02-00": 1.9}, ""),
        (30, {"auto-2026-01-01_02-00": 2.1, "auto-2026-01-02_02-00": 9}, "no snapshot since"),
        (30, {"manual-2026-01-01_02-00-00": 0.1}, "no snapshot, and it was made on"),  # the schedule fails all the same
        (30, {"before-the-upgrade": 0.1}, ""),
    ],
)
def test_a_volume_whose_schedule_makes_no_snapshots(
    lab: PretendLab, volume: float, snapshots: dict[str, float], words: str
) -> None:
    site = lab.site()
    lab.apply(site)
    age(lab, site, volume)
    for name, days in snapshots.items():
        snapshot(lab, site, name, days)
    found = told(site)
    assert [notice.kind for notice in found] == ([Kind.UNSAVED] if words else [])
    for notice in found:
        assert notice.resource == f"volume {site.spec.zvol}"
        assert words in notice.what and notice.what.endswith("one is due every 1 day")
        assert "zerotoil snapshot matrix" in notice.command
        assert plan_lab([site]).exit_code == 0, "it is no drift"


def test_every_version_of_the_api_tells_when_a_snapshot_was_made(sim: Simulator) -> None:  # noqa: F811
    nas, spec = connect(sim), host()
    apply(nas, spec)
    now = datetime.now(UTC)
    assert overdue(spec, nas, now) == ""
    assert overdue(spec, nas, now + timedelta(days=3)).startswith("no snapshot, and it was made on")
    nas.write(f"{nas.capabilities.snapshots}.create", {"dataset": spec.zvol, "name": "auto-2026-01-01_02-00"})
    assert overdue(spec, nas, now + timedelta(days=1.9)) == ""
    assert overdue(spec, nas, now + timedelta(days=3)).startswith(f"no snapshot since {now:%Y-%m-%d}")


def test_the_tightest_schedule_counts(lab: PretendLab) -> None:
    site = lab.site(data_snapshot_tiers={"hourly": {"schedule": "0 * * * *", "keep": "2 days"}})
    lab.apply(site)
    age(lab, site, 1)
    assert [notice.what.rpartition("; ")[2] for notice in told(site)] == ["one is due every 1 hour"]


def test_one_query_serves_all_hosts(lab: PretendLab) -> None:
    sites = [lab.site(name) for name in ("one", "two", "three")]
    for site in sites:
        lab.apply(site)
        age(lab, site, 9)
    snapshot(lab, sites[1], "auto-2026-01-01_02-00", 0.5)
    before = len(lab.sim.calls)
    assert [notice.resource for notice in told(*sites)] == ["volume tank/lab/one/data", "volume tank/lab/three/data"]
    assert [method for method, _ in lab.sim.calls[before:]].count("pool.snapshot.query") == 1


def test_the_certificate_of_the_nas(lab: PretendLab) -> None:
    """It is the lab's, so one host tells it."""
    sites = [lab.site("one"), lab.site("two")]
    for site in sites:
        lab.apply(site)
    nas = sites[0].nas
    assert nas.certificate_ends and timedelta(days=364) < nas.certificate_ends - datetime.now(UTC) < timedelta(days=366)
    assert told(*sites) == []
    for left, words in ((20.5, "it ends on {:%Y-%m-%d}, in 20 days"), (-1, "it ended on {:%Y-%m-%d}")):
        nas._tls.ends = datetime.now(UTC) + timedelta(days=left)
        (notice,) = told(*sites)
        assert (notice.resource, notice.kind) == (f"certificate of {lab.sim.url}", Kind.EXPIRING)
        assert notice.what == words.format(nas._tls.ends)


def test_the_end_of_any_certificate_can_be_read() -> None:
    """Up to 2049 as UTCTime, from then on as GeneralizedTime."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    for end in (datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC), datetime(2049, 12, 31, tzinfo=UTC), datetime(2063, 5, 6, tzinfo=UTC)):
        made = x509.CertificateBuilder(name, name, key.public_key(), 1, datetime(2020, 1, 1, tzinfo=UTC), end)
        der = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
        assert certificate_ends(der) == end
    assert certificate_ends(b"") is None
