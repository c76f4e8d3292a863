"""notify-expiry.sh, run for real: certificates of real forms, a pretend Tailscale, and the owner told once per step."""

import base64
import json
import os
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.resources.guest.test_notify_scripts import Host, generic_url
from tests.sinks import FakeSink

NOW = datetime.now(UTC).replace(microsecond=0)


def pem(end: datetime) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Grüße 0 1")])
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), NOW - timedelta(days=900), end)
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def days(number: float) -> datetime:
    return NOW + timedelta(days=number, hours=5)  # the whole suite may take a while until it gets here


@pytest.fixture
def host(tmp_path: Path, sink: FakeSink) -> Host:
    host = Host(tmp_path, [generic_url(sink)])
    host.program("tailscale", f"#!/bin/sh\ncat {tmp_path}/tailscale.json\n")
    key_ends(host, None)
    return host


def key_ends(host: Host, end: datetime | None) -> None:
    known = {"KeyExpiry": end.strftime("%Y-%m-%dT%H:%M:%SZ")} if end else {}  # none where its expiry is disabled
    (host.root / "tailscale.json").write_text(json.dumps({"Self": known}))


def place(host: Host, path: str, text: str) -> None:
    """A file of an app, in its manifest."""
    file = host.root / f"var/mnt/data/apps/web/{path}"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    manifest = host.root / "var/mnt/data/apps/web/.zerotoil/files"
    manifest.parent.mkdir(exist_ok=True)
    with manifest.open("a") as lines:
        lines.write(f"0644 {'a' * 64} {path}\n")


def look(host: Host, later: float = 0, again: bool = True) -> subprocess.CompletedProcess[str]:
    host.later(int(later * 86400))
    told = host.base / "expiring"
    if again and told.exists():
        os.utime(told, (time.time() - 86400,) * 2)
    script = host.root / "var/mnt/data/zerotoil/bin/notify-expiry.sh"
    done = subprocess.run(["sh", str(script)], env=host.env(), capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr.replace("told already", "")) == (0, ""), done.stderr
    return done


def told(sink: FakeSink) -> list[tuple[str, str]]:
    return [(message["subject"], message["message"]) for message in sink.messages if message["event"] == "expiring"]


def test_a_certificate_is_told_three_weeks_a_week_and_a_day_before_and_when_it_has_ended(host: Host, sink: FakeSink) -> None:
    end = days(30)
    place(host, "tls.crt", pem(days(400)) + "some words\n" + pem(end))  # a chain: whichever ends first
    place(host, "tls.key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    for later in (0, 8, 9.5, 12, 22, 24, 25, 29.5, 30.5, 40):
        look(host, later)
    about = "certificate /var/mnt/data/apps/web/tls.crt"
    assert told(sink) == [
        (about, f"It ends on {end:%Y-%m-%d}, in 20 days."),
        (about, f"It ends on {end:%Y-%m-%d}, in 6 days."),
        (about, f"It ends on {end:%Y-%m-%d}, in 0 days."),
        (about, f"It ended on {end:%Y-%m-%d}."),
    ]


@pytest.mark.parametrize("end", [datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC), datetime(2051, 2, 3, 4, 5, 6, tzinfo=UTC)])
def test_both_forms_of_a_time_are_read(host: Host, sink: FakeSink, end: datetime) -> None:
    """Up to 2049 with two digits of the year, from then on with four."""
    place(host, "ca/own.pem", pem(end))
    look(host, (end - NOW).days - 30)
    assert told(sink) == []
    look(host, (end - NOW).days - 3)
    assert [text for _, text in told(sink)] == [f"It ends on {end:%Y-%m-%d}, in 3 days."]


def test_a_new_certificate_is_told_afresh_and_a_removed_one_no_more(host: Host, sink: FakeSink) -> None:
    place(host, "tls.crt", pem(days(5)))
    look(host)
    file = host.root / "var/mnt/data/apps/web/tls.crt"
    file.write_text(pem(days(90)))
    look(host)
    file.write_text(pem(days(6)))
    look(host, 1)
    file.unlink()
    look(host, 1)
    assert len(told(sink)) == 2


def test_what_docker_trusts_and_tailscales_key(host: Host, sink: FakeSink) -> None:
    ca = host.root / "etc/docker/certs.d/registry.lan:5000/ca.crt"
    ca.parent.mkdir(parents=True)
    ca.write_text(pem(days(2)))
    key_ends(host, days(12))
    look(host)
    assert sorted(subject for subject, _ in told(sink)) == [
        "Tailscale's key of this host", "certificate /etc/docker/certs.d/registry.lan:5000/ca.crt",
    ]  # fmt: skip


def test_it_looks_once_a_day_and_survives_nonsense(host: Host, sink: FakeSink) -> None:
    look(host)
    place(host, "tls.crt", pem(days(5)))
    look(host, again=False)
    assert told(sink) == []
    begin, end = "-----BEGIN CERTIFICATE-----\n", "-----END CERTIFICATE-----\n"
    place(host, "no.pem", f"{begin}not base64 at all!\n{end}{begin}{base64.b64encode(b'0').decode()}\n{end}{begin}")
    place(host, "with blank.pem", pem(days(5)))
    host.program("tailscale", "#!/bin/sh\necho no; exit 1\n")
    look(host)
    assert sorted(subject.rpartition("/")[2] for subject, _ in told(sink)) == ["tls.crt", "with blank.pem"]
