"""Parts of the lab that need neither root nor its daemons."""

import os
import ssl
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

import libvirt
import pytest
from lxml import etree

from zerotoil.errors import LabError
from zerotoil.minilab import domains, layout, libvirtd, mirror, network, preflight, state, tls

ROOT = Path(__file__).parents[2]
CONTENT = bytes(range(256)) * 20


@pytest.fixture
def mirrored(tmp_path):
    (tmp_path / "image").write_bytes(CONTENT)
    server = mirror.server(tmp_path, "127.0.0.1", 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def get(url, **headers):
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=5) as answer:
        return answer.status, answer.read(), answer.headers


def test_mirror_serves_whole_files(mirrored):
    status, body, headers = get(f"{mirrored}/image")
    assert (status, body, headers["Content-Length"]) == (200, CONTENT, str(len(CONTENT)))


@pytest.mark.parametrize(("wanted", "part"), [("bytes=100-", CONTENT[100:]), ("bytes=5-9", CONTENT[5:10])])
def test_mirror_resumes(mirrored, wanted, part):
    status, body, headers = get(f"{mirrored}/image", Range=wanted)
    assert (status, body) == (206, part)
    assert headers["Content-Range"].endswith(f"/{len(CONTENT)}")


def test_mirror_sends_all_when_the_file_was_replaced(mirrored):
    assert get(f"{mirrored}/image", **{"Range": "bytes=5-", "If-Range": '"other"'})[:2] == (200, CONTENT)


@pytest.mark.parametrize(("path", "wanted", "code"), [("image", "bytes=99999-", 416), ("../etc/passwd", "", 404), ("", "", 404)])
def test_mirror_refuses(mirrored, path, wanted, code):
    with pytest.raises(urllib.error.HTTPError) as refused:
        get(f"{mirrored}/{path}", **({"Range": wanted} if wanted else {}))
    assert refused.value.code == code


@pytest.fixture
def folders(tmp_path, monkeypatch):
    for name in ("CA_CERT", "SERVER_CERT", "SERVER_KEY", "SSH_KEY", "NAS_KEY_FILE", "CHAP_SECRET_FILE", "REGISTRY_PASSWORD_FILE"):
        monkeypatch.setattr(layout, name, tmp_path / "lab" / getattr(layout, name).relative_to(layout.STATE))
    monkeypatch.setattr(layout, "STATE", tmp_path / "lab")
    monkeypatch.setattr(state, "MARK", tmp_path / "lab" / state.MARK.name)
    return tmp_path / "lab"


def test_state_keeps_its_secrets_to_root(folders):
    state.ensure()
    files = layout.NAS_KEY_FILE, layout.SSH_KEY, layout.REGISTRY_PASSWORD_FILE
    first = [path.read_text() for path in files]
    state.ensure()
    assert [path.read_text() for path in files] == first
    assert len(layout.CHAP_SECRET_FILE.read_text().strip()) == 16
    for secret in (*files, layout.CHAP_SECRET_FILE):
        assert secret.stat().st_mode & 0o777 == 0o600
        assert secret.parent.stat().st_mode & 0o777 == 0o700
    assert (folders / "pool").stat().st_mode & 0o011 == 0o011  # QEMU's user passes


def test_a_folder_that_is_not_a_lab_is_neither_used_nor_removed(folders):
    folders.mkdir()
    (folders / "thesis.txt").write_text("years of work")
    for step in (state.ensure, state.remove):
        with pytest.raises(LabError, match="is not a lab's folder"):
            step()
    assert (folders / "thesis.txt").exists()


def test_certificate_is_trusted_for_the_labs_address_only(folders):
    state.ensure()
    assert (tls.ensure(), tls.ensure()) == ("made", "kept")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(layout.SERVER_CERT, layout.SERVER_KEY)
    _handshake(server, layout.ADDRESS)
    with pytest.raises(ssl.SSLCertVerificationError):
        _handshake(server, "192.0.2.9")


def _handshake(server: ssl.SSLContext, name: str) -> None:
    client = ssl.create_default_context(cafile=str(layout.CA_CERT))
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours, theirs = client.wrap_bio(down, up, server_hostname=name), server.wrap_bio(up, down, server_side=True)
    waiting = {ours, theirs}
    for _ in range(10):
        for side in list(waiting):
            try:
                side.do_handshake()
                waiting.discard(side)
            except ssl.SSLWantReadError:
                continue
    assert not waiting


@pytest.mark.parametrize(
    ("source", "ours"),
    [
        (f"<source pool='{layout.STORAGE_POOL}' volume='v'/>", True),
        (f"<source file='{layout.STORAGE_POOL_PATH}/v.qcow2'/>", True),
        (f"<source file='{layout.STORAGE_POOL_PATH}-of-mine/v.qcow2'/>", False),
        ("<source pool='default' volume='v'/>", False),
    ],
)
def test_only_domains_on_the_labs_pool_are_the_labs(source, ours):
    assert domains.lives_in_lab(f"<domain><devices><disk type='file'>{source}</disk></devices></domain>") is ours


@pytest.mark.parametrize(("schema", "xml"), [("network", network.network_xml()), ("storagepool", network.pool_xml())])
def test_definitions_fit_libvirts_schema(schema, xml):
    etree.RelaxNG(file=f"/usr/share/libvirt/schemas/{schema}.rng").assertValid(etree.fromstring(xml))


def test_a_network_of_our_name_that_is_not_ours_is_refused(monkeypatch):
    connection = libvirt.open("test:///default")  # comes with a network named default
    monkeypatch.setattr(layout, "NETWORK", "default")
    with pytest.raises(LabError, match="a libvirt network named default exists and is not this lab's"):
        network.own(connection, "network")


def test_every_package_that_preflight_asks_for_is_installed_by_setup():
    listed = (ROOT / "setup" / "packages.txt").read_text().split()
    assert {*preflight.COMMANDS.values(), *preflight.FILES.values()} <= set(listed)


def test_all_missing_packages_are_named_at_once(monkeypatch):
    monkeypatch.setattr(preflight, "COMMANDS", {"no-such-a": "package-a", "no-such-b": "package-b"})
    with pytest.raises(LabError, match="apt-get install --no-install-recommends package-a package-b"):
        preflight.require_packages()


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user, which needs root")
@pytest.mark.parametrize("command", [["up"], ["ostree"], ["status"], ["down"], ["reset", "--yes"], ["console", "x"]])
def test_without_root_one_line_at_once(command):
    imports = (
        "import os, zerotoil.cli, zerotoil.cli.lab, zerotoil.minilab.lab, rich.console, rich.table"  # while it may read them
    )
    run = f"{imports}; os.setgid(65534); os.setuid(65534); zerotoil.cli.main({['lab', *command]!r})"
    done = subprocess.run([sys.executable, "-c", run], capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "needs root" in done.stderr


def test_qemus_namespaces_are_taken_out_and_given_back(tmp_path, monkeypatch):
    conf = tmp_path / "qemu.conf"
    conf.write_text('user = "root"\n')
    monkeypatch.setattr(libvirtd, "QEMU_CONF", conf)
    for _ in range(2):
        libvirtd.set_namespaces(False)
    assert conf.read_text().count("\nnamespaces = []\n") == 1
    libvirtd.set_namespaces(True)
    assert conf.read_text() == 'user = "root"\n'
