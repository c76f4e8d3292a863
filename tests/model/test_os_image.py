"""base.lock, the list of packages, and the hash that decides whether anything changed."""

from dataclasses import replace

import pytest

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.os_image import Base, Package, content, differences, labels, read_lock, read_packages, without_sizes

DIGEST = "sha256:" + "a" * 64
BASE = Base("quay.io/fedora/fedora-coreos:stable", DIGEST, "44.1")
PACKAGES = read_packages("zlib 1.3 10\nbash 5.2 20\n")
FILES = [("Containerfile", False, b"FROM x\n"), ("overlay/base/usr/bin/x", True, b"#!/bin/sh\n")]


def test_a_lock_comes_back() -> None:
    assert read_lock(BASE.lock) == BASE
    assert read_lock(replace(BASE, version="").lock) == replace(BASE, version="")
    assert BASE.pinned == f"quay.io/fedora/fedora-coreos@{DIGEST}"
    assert BASE.lock == (
        "# What the images are built on. `zerotoil image pin` writes it; keep it in git.\n"
        f"reference quay.io/fedora/fedora-coreos:stable\ndigest {DIGEST}\nversion 44.1\n"
    )


@pytest.mark.parametrize(
    "text", ["", "reference quay.io/x:y\n", f"digest {DIGEST}\n", "reference quay.io/x:y\ndigest sha256:1\n"]
)
def test_a_lock_that_pins_nothing(text: str) -> None:
    with pytest.raises(LabError, match=r"^base\.lock pins no base \(.*\): run zerotoil image pin") as caught:
        read_lock(text)
    assert caught.value.code is Code.BASE_NOT_PINNED


def test_packages() -> None:
    assert {"zlib": Package("zlib", "1.3", 10), "bash": Package("bash", "5.2", 20)} == PACKAGES
    assert read_packages("libc 2 5\nlibc 1 5\nodd\n\nx 1\n") == {"libc": Package("libc", "1,2", 10), "x": Package("x", "1")}
    assert without_sizes(PACKAGES) == "bash 5.2\nzlib 1.3\n"


def test_differences_are_named() -> None:
    after = read_packages("zlib 1.4 99\nnano 8 1\nbash 5.2 21\n")
    assert [str(one) for one in differences(PACKAGES, after)] == ["+ nano 8", "~ zlib 1.3 -> 1.4"]
    assert [str(one) for one in differences(after, PACKAGES)] == ["- nano 8", "~ zlib 1.4 -> 1.3"]


def test_the_same_content_has_the_same_hash_whatever_the_order() -> None:
    resized = read_packages("bash 5.2 7\nzlib 1.3 7\n")
    assert content(BASE, "base", FILES, PACKAGES) == content(BASE, "base", FILES[::-1], resized)


def test_all_that_changes_an_image_changes_the_hash() -> None:
    moved = replace(BASE, digest="sha256:" + "b" * 64)
    hashes = {
        content(BASE, "base", FILES, PACKAGES),
        content(moved, "base", FILES, PACKAGES),
        content(BASE, "k3s", FILES, PACKAGES),
        content(BASE, "base", [(FILES[0][0], True, FILES[0][2]), FILES[1]], PACKAGES),
        content(BASE, "base", [(FILES[0][0], False, b"FROM y\n"), FILES[1]], PACKAGES),
        content(BASE, "base", FILES[:1], PACKAGES),
        content(BASE, "base", FILES, read_packages("zlib 1.3\nbash 5.3\n")),
    }
    assert len(hashes) == 7


def test_labels() -> None:
    assert labels(BASE, "0123456789ab", PACKAGES) == {
        "io.zerotoil.content": "0123456789ab",
        "io.zerotoil.packages": "bash 5.2\nzlib 1.3\n",
        "org.opencontainers.image.version": "44.1-01234567",
    }
    assert labels(replace(BASE, version=""), "0123456789ab", {})["org.opencontainers.image.version"] == "01234567"
