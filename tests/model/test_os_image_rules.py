"""What a Containerfile and an overlay may not hold: each rule with what breaks it; the shipped one breaks none."""

from pathlib import Path

import pytest

from zerotoil.error_codes import Code
from zerotoil.model.os_image_rules import containerfile_problems, instructions, overlay_problems, stages, why_not_kept

DIGEST = "sha256:" + "a" * 64
SHIPPED = Path(__file__).parents[2] / "images" / "Containerfile"


def said(text: str) -> list[str]:
    problems = containerfile_problems(text)
    assert {problem.code for problem in problems} <= {Code.CONTAINERFILE_RULE}
    return [str(problem) for problem in problems]


@pytest.mark.parametrize(
    ("line", "want"),
    [
        ("COPY a /usr/a # why", "a comment behind COPY is a part of it: give the comment a line of its own"),
        ("RUN dnf -y install x # why", "a comment behind RUN is a part of it: give the comment a line of its own"),
        ("RUN rpm-ostree install x", "rpm-ostree install fails in a build: its base was not booted: use dnf"),
        ("RUN rpm-ostree override remove x", "rpm-ostree override fails in a build: its base was not booted: use dnf"),
        ("RUN true && ostree container commit",
         "ostree container commit fails on today's bases: end with RUN bootc container lint"),
        ("RUN curl -sfL https://get.k3s.io | sh",
         "k3s itself comes into /usr, which is read-only: the upgrade controller could not replace it: "
         "install k3s-selinux alone; zerotoil puts the binary at /usr/local/bin"),
        ("RUN curl -o /usr/bin/k3s https://x && true",
         "k3s itself comes into /usr, which is read-only: the upgrade controller could not replace it: "
         "install k3s-selinux alone; zerotoil puts the binary at /usr/local/bin"),
        ("COPY k3s /usr/bin/k3s",
         "COPY to /usr/bin/k3s: k3s in /usr is read-only: nothing could upgrade it: "
         "leave it out; zerotoil puts it at /usr/local/bin"),
        ("COPY a /var/lib/a",
         "COPY to /var/lib/a: /var is the host's own: of an image's it takes nothing after its first boot: "
         "let usr/lib/tmpfiles.d make it"),
        ("ADD a.tar /opt/",
         "ADD to /opt/: /opt is a link to /var/opt on a host: put it into /usr/lib or /usr/share"),
    ],
)  # fmt: skip
def test_a_line_that_breaks(line: str, want: str) -> None:
    text = f"FROM x@{DIGEST} AS base\n# fine # here\n{line}\nRUN bootc container lint\n"
    assert said(text) == [f"Containerfile line 3: {want}"]


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("FROM quay.io/fedora/fedora-coreos:stable\n",
         "line 1: FROM quay.io/fedora/fedora-coreos:stable moves by itself: write FROM ${BASE}, or add its @sha256:…"),
        ("FROM ${BASE}\n", "line 1: FROM ${BASE}: nothing says what that is: write ARG BASE before it, for base.lock"),
        ("ARG BASE\nFROM $OTHER\n", "line 2: FROM $OTHER: nothing says what that is: write ARG BASE before it, for base.lock"),
        ("ARG BASE\nFROM $BASE AS a\nRUN dnf install x\nRUN true\n",
         "line 2: stage a is not checked: end it with RUN bootc container lint"),
    ],
)  # fmt: skip
def test_a_stage_that_breaks(text: str, want: str) -> None:
    assert said(text) == [f"Containerfile {want}"]


@pytest.mark.parametrize(
    "text",
    [
        f"FROM x@{DIGEST} AS a\nFROM a AS b\nFROM scratch\n",
        "ARG BASE\nFROM ${BASE} AS base\nRUN echo '# no comment' \"a # b\" \\# c\\#d && true\n",
        "ARG BASE\nFROM $BASE\nRUN a \\\n  # between lines\n  b\nCOPY overlay/ /\nCOPY k3s.repo /etc/yum.repos.d/\nCOPY a rel/\n",
        "ARG BASE\nFROM $BASE\nRUN dnf -y install k3s-selinux\nRUN bootc container lint --fatal-warnings\n",
    ],
)
def test_what_is_right(text: str) -> None:
    assert said(text) == []


def test_the_shipped_one_is_right() -> None:
    assert said(SHIPPED.read_text()) == []
    assert [stage.name for stage in stages(SHIPPED.read_text())] == ["base", "k3s"]


def test_lines_are_joined_and_numbered() -> None:
    found = list(instructions("# x\nfrom a \\\n  # c\n  as b\n\nRUN x \\\n"))
    assert [(one.line, one.word, one.rest.split()) for one in found] == [(2, "FROM", ["a", "as", "b"]), (6, "RUN", ["x"])]


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("var/lib/x", "/var is the host's own: of an image's it takes nothing after its first boot"),
        ("usr/local/bin/x", "/usr/local is a link to /var/usrlocal on a host"),
        ("usr/etc/x", "/usr/etc is made from /etc by the image's own tools"),
        ("home/me/x", "/home is a link to /var/home on a host"),
        ("root/.profile", "/root is a link to /var/roothome on a host"),
        ("opt/x", "/opt is a link to /var/opt on a host"),
        ("mnt/x", "/mnt is a link to /var/mnt on a host"),
        ("srv/x", "/srv is a link to /var/srv on a host"),
        ("media/x", "/media is a link to /run/media on a host"),
        ("run/x", "/run is made anew at each boot"),
        ("tmp/x", "/tmp is made anew at each boot"),
        ("boot/x", "/boot is not an image's: a deployment writes its own kernel there"),
        ("usr/bin/k3s", "k3s in /usr is read-only: nothing could upgrade it"),
        ("apps/x", "/apps is not in an image-based system: its root is read-only"),
        ("README", "/README is not in an image-based system: its root is read-only"),
        ("usr/lib/x", None),
        ("etc/x", None),
        ("usr/localx/y", None),
        ("etc/var/x", None),
    ],
)
def test_where_an_image_keeps_files(path: str, why: str | None) -> None:
    told = why_not_kept(path)
    assert (told and told[0]) == why


def test_an_overlay_is_told_by_stage() -> None:
    (found,) = overlay_problems(["base/usr/bin/x", "base/var/lib/y"])
    assert found.code is Code.OVERLAY_PATH
    assert str(found) == (
        "overlay/base: /var/lib/y: /var is the host's own: of an image's it takes nothing after its first boot: "
        "let usr/lib/tmpfiles.d make it"
    )
