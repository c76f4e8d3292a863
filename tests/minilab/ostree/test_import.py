"""An image becomes a commit: real ostree, skopeo and registry; the OS tree is a handful of files."""

import gzip
import hashlib
import io
import json
import os
import shutil
import tarfile

import pytest

from tests.minilab.ostree import machine as pretended
from zerotoil.minilab import images, ostree
from zerotoil.minilab.ostree.build import Built
from zerotoil.minilab.ostree.images import layer, oci_layout

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="a bare repo keeps owners: needs root"),
    pytest.mark.skipif(not (shutil.which("ostree") and shutil.which("skopeo")), reason="needs ostree and skopeo"),
]
KERNEL = "6.12.0-standin"


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A built OS tree, as its layer."""
    plain = layer(
        {
            f"usr/lib/modules/{KERNEL}/vmlinuz": b"kernel",
            f"usr/lib/modules/{KERNEL}/initramfs.img": b"initramfs",
            "usr/bin/tool": b"#!/bin/sh\n",
            "usr/share/gone": b"in the base",
            "usr/share/folder/old": b"in the base",
            "etc/kept.conf": b"base\n",
            "etc/changed.conf": b"base\n",
            "home": b"as a link would be",
        }
    )
    packed = tmp_path / "layer.tar.gz"
    packed.write_bytes(gzip.compress(plain, mtime=0))
    made = Built(tmp_path / "none", packed, _digest(packed.read_bytes()), _digest(plain))
    monkeypatch.setattr("zerotoil.minilab.ostree.images.build", lambda: made)
    return made


@pytest.fixture
def host(tmp_path, registries):
    return pretended.machine(tmp_path / "host", real=True)


def _digest(content):
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def stage(host, where, name="os/own:1"):
    done = host.run("rebase", f"ostree-unverified-registry:{where.address}/{name}")
    assert done.returncode == 0, done.stderr
    return (host.folder / "status.deployed").read_text().strip(), done


def tree_of(host, commit):
    return {line.split()[-1] for line in host.ostree("ls", "-R", commit).splitlines()}


def test_layers_are_merged_and_etc_goes_to_its_place(host, tree, registries):
    overlay = {
        "usr/share/version": b"2\n", "etc/changed.conf": b"own\n", "etc/added.d/new.conf": b"own\n",
        "usr/share/gone": None, "usr/share/folder/.wh..opq": b"", "usr/share/folder/new": b"own\n",
    }  # fmt: skip
    digest = ostree.push("os/own", "1", overlay, "2.1", to=registries[0])
    commit, done = stage(host, registries[0])
    paths = tree_of(host, commit)
    assert {"/usr/etc/kept.conf", "/usr/etc/changed.conf", "/usr/etc/added.d/new.conf", "/usr/share/version", "/home"} <= paths
    assert "/etc" not in paths and "/usr/share/gone" not in paths
    assert host.ostree("cat", commit, "/usr/etc/changed.conf") == "own\n"
    assert host.ostree("show", "--print-metadata-key=version", commit) == "'2.1'\n"
    assert host.ostree("show", "--print-metadata-key=ostree.manifest-digest", commit) == f"'{digest}'\n"
    assert host.ostree("show", "--print-metadata-key=ostree.bootable", commit) == "true\n"
    reference = f"ostree-unverified-registry:{registries[0].address}/os/own:1"
    assert (host.folder / "status.origin").read_text() == f"[origin]\ncontainer-image-reference={reference}\n"
    assert "warning" not in done.stderr and not list((host.folder / "ostree/repo/tmp").glob("standin-*"))


def test_a_layer_is_fetched_once(host, tree, registries):
    ostree.push("os/own", "1", {"usr/share/version": b"1\n"}, "1", to=registries[0])
    assert stage(host, registries[0])[1].stdout.count("Fetched layer") == 2
    ostree.push("os/own", "1", {"usr/share/version": b"2\n"}, "2", to=registries[0])
    blob = registries[0].files / "files/docker/registry/v2/blobs/sha256" / tree.digest[7:9] / tree.digest[7:] / "data"
    blob.write_bytes(b"a registry that would be asked for the tree again has another one")
    commit, done = stage(host, registries[0])
    assert done.stdout.count("Fetched layer") == 1
    assert host.ostree("cat", commit, "/usr/share/version") == "2\n"


def test_what_an_ostree_tree_has_no_place_for_is_dropped_with_a_warning(host, tree, registries):
    overlay = {"var/lib/thing": b"x", "opt/program": b"x", "tmp/left": b"x", "usr/share/kept": b"x", ".dockerenv": b""}
    ostree.push("os/own", "1", overlay, "1", to=registries[0])
    commit, done = stage(host, registries[0])
    warnings = [line for line in done.stderr.splitlines() if line.startswith("warning: ")]
    assert {line.split()[1] for line in warnings} == {"/var", "/opt", "/.dockerenv"}
    paths = tree_of(host, commit)
    assert "/usr/share/kept" in paths and "/home" in paths
    assert not {"/var", "/opt", "/tmp"} & paths


def test_the_same_image_is_the_same_commit(host, tree, registries):
    ostree.push("os/own", "1", {"usr/share/version": b"1\n"}, "1", to=registries[0])
    assert stage(host, registries[0])[0] == stage(host, registries[0])[0]


def test_upgrade_knows_by_the_digest_whether_there_is_anything(host, tree, registries):
    ostree.push("os/own", "1", {"usr/share/version": b"1\n"}, "1", to=registries[0])
    commit, _ = stage(host, registries[0])
    host.status(pretended.FIRST_BOOT.replace(pretended.OLD, commit))
    done = host.run("upgrade", "--unchanged-exit-77")
    assert (done.returncode, done.stdout) == (77, "No upgrade available.\n")
    assert host.run("upgrade").returncode == 0
    told = json.loads(host.run("status", "--json").stdout)["deployments"][0]
    digest = ostree.push("os/own", "1", {"usr/share/version": b"2\n"}, "2", to=registries[0])
    assert digest != told["container-image-reference-digest"]
    done = host.run("upgrade", "--unchanged-exit-77")
    assert done.returncode == 0, done.stderr
    assert f"Pulled {digest}" in done.stdout


def test_following_the_same_reference_again_is_an_error(host, tree, registries):
    ostree.push("os/own", "1", {}, "1", to=registries[0])
    commit, _ = stage(host, registries[0])
    host.status(pretended.FIRST_BOOT.replace(pretended.OLD, commit))
    reference = f"ostree-unverified-registry:{registries[0].address}/os/own:1"
    assert host.run("rebase", reference).stderr == f"error: Old and new refs are equal: {reference}\n"


def test_a_policy_that_rejects_does_reject(host, tree, registries):
    ostree.push("os/own", "1", {}, "1", to=registries[0])
    policy = host.folder / "etc/containers/policy.json"
    policy.write_text('{"default": [{"type": "reject"}]}')
    done = host.run("rebase", f"ostree-image-signed:docker://{registries[0].address}/os/own:1")
    assert done.returncode == 1 and "rejected by policy" in done.stderr
    assert not (host.folder / "status.deployed").exists()
    accepts = {
        "default": [{"type": "reject"}],
        "transports": {"docker": {registries[0].address: [{"type": "insecureAcceptAnything"}]}},
    }
    policy.write_text(json.dumps(accepts))
    assert host.run("rebase", f"ostree-image-signed:docker://{registries[0].address}/os/own:1").returncode == 0


def test_an_image_of_something_else_is_refused(host, tree, registries):
    images.push("app:1", images.Image({"file": b"x"}, {}), to=registries[0])
    done = host.run("rebase", f"ostree-unverified-registry:{registries[0].address}/app:1")
    assert done.returncode == 1 and "is no image of an ostree system" in done.stderr
    done = host.run("rebase", f"ostree-unverified-registry:{registries[0].address}/os/none:1")
    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        1,
        f"error: skopeo inspect of {registries[0].address}/os/none:1 failed",
    )


def test_an_overlay_from_a_folder_keeps_modes_and_links(tmp_path):
    (tmp_path / "usr/bin").mkdir(parents=True)
    (tmp_path / "usr/bin/tool").write_text("x")
    (tmp_path / "usr/bin/tool").chmod(0o750)
    (tmp_path / "usr/bin/link").symlink_to("tool")
    with tarfile.open(fileobj=io.BytesIO(layer(tmp_path))) as tar:
        found = {entry.name: (entry.mode, entry.uid, entry.mtime, entry.linkname) for entry in tar}
    assert found["usr/bin/tool"] == (0o750, 0, 0, "")
    assert found["usr/bin/link"][3] == "tool" and found["usr/bin"][0] == 0o755
    assert layer(tmp_path) == layer(tmp_path)


def test_the_layout_names_its_tree(tmp_path, tree):
    made = oci_layout(tmp_path / "image", "1", tree, {"usr/x": b"1"}, "7", {"own": "label"}, images.CREATED)
    blob = lambda digest: json.loads((made / "blobs" / digest.replace(":", "/")).read_text())  # noqa: E731
    manifest = blob(json.loads((made / "index.json").read_text())["manifests"][0]["digest"])
    config = blob(manifest["config"]["digest"])
    labels = config["config"]["Labels"]
    assert labels["ostree.final-diffid"] == config["rootfs"]["diff_ids"][0] == tree.diff_id
    assert (labels["org.opencontainers.image.version"], labels["own"]) == ("7", "label")
    assert manifest["layers"][0] == {"mediaType": images.LAYER, "digest": tree.digest, "size": tree.layer.stat().st_size}
    assert len(manifest["layers"]) == len(config["rootfs"]["diff_ids"]) == 2
