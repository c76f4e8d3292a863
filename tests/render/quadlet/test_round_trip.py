"""Any value that a compose file holds arrives at podman as it was written, through the real generator and systemd's rules."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.render.quadlet.generator import command, generated, options
from zerotoil.render.quadlet import Refusals, quadlets

IMAGE = "docker.io/library/busybox:1"
NASTY = [
    "",
    " ",
    ";",
    "%",
    "%%",
    "%n",
    "$",
    "$$",
    "${HOME}",
    "$HOME",
    '"',
    "'",
    "\\",
    "\\n",
    "a b",
    "#",
    "x\\",
    "é",
    "\u2028",
    "\x85",
    "\x1b",
]
printable = st.text(st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
values = st.lists(st.sampled_from(NASTY) | printable, max_size=4).map("".join)
one_line = values.filter(lambda text: text and text == text.strip())


def service(**spec: Any) -> str:
    """The generated service of an app with one service."""
    files = quadlets("app", {"services": {"web": {"image": IMAGE, **spec}}}, "lab/host", {})
    return generated(files)["app-web.service"]


def test_the_reader_of_these_tests_sees_what_quadlet_wrote() -> None:
    argv = command(service(command=["echo", "a b", "$HOME", "100%"]))
    assert argv[:2] == ["/usr/bin/podman", "run"]
    assert argv[-5:] == [IMAGE, "echo", "a b", "$HOME", "100%"]


@given(values)
@settings(max_examples=150, deadline=None)
def test_environment(value: str) -> None:
    try:
        made = service(environment={"A": value, "B": "last"})
    except Refusals:
        assert any("\x80" <= letter <= "\x9f" for letter in value)  # nothing else is out of reach
        return
    assert options(made, "--env") == [f"A={value}", "B=last"]


@given(values)
@settings(max_examples=50, deadline=None)
def test_labels(value: str) -> None:
    try:
        made = service(labels={"a": value})
    except Refusals:
        assert any("\x80" <= letter <= "\x9f" for letter in value)
        return
    assert f"a={value}" in options(made, "--label")


@given(st.lists(values, min_size=1, max_size=3))
@settings(max_examples=150, deadline=None)
def test_command(argv: list[str]) -> None:
    try:
        made = service(command=argv)
    except Refusals:
        assert {"", ";"} & set(argv) or any("\x80" <= letter <= "\x9f" for letter in "".join(argv))
        return
    assert command(made)[-len(argv) - 1 :] == [IMAGE, *argv]


@given(st.lists(values, min_size=1, max_size=3))
@settings(max_examples=100, deadline=None)
def test_entrypoint(argv: list[str]) -> None:
    try:
        made = service(entrypoint=argv)
    except Refusals:
        assert any("\x7f" <= letter <= "\x9f" for letter in "".join(argv))
        return
    (given_to_podman,) = options(made, "--entrypoint")
    assert json.loads(given_to_podman) == argv


@given(values)
@settings(max_examples=100, deadline=None)
def test_shell_health_checks(text: str) -> None:
    try:
        made = service(healthcheck={"test": ["CMD-SHELL", text]})
    except Refusals:
        assert any("\x7f" <= letter <= "\x9f" for letter in text)
        return
    (given_to_podman,) = options(made, "--health-cmd")
    assert json.loads(given_to_podman) == ["CMD-SHELL", text]


@given(one_line)
@settings(max_examples=100, deadline=None)
def test_whole_values(text: str) -> None:
    try:
        made = service(working_dir=text)
    except Refusals:
        assert (
            text == ";"
            or text[0] == '"'
            or text[-1] in '"\\'
            or any(letter < " " or "\x7f" <= letter <= "\x9f" for letter in text)
        )
        return
    assert options(made, "--workdir") == [text]


@given(one_line)
@settings(max_examples=60, deadline=None)
def test_values_split_at_blanks(text: str) -> None:
    try:
        made = service(sysctls={"net.x": text})
    except Refusals:
        assert set(text) & set("\"'\\") or any(letter < " " or "\x7f" <= letter <= "\x9f" for letter in text)
        return
    assert options(made, "--sysctl") == [f"net.x={text}"]


@pytest.mark.parametrize("argv", [["a", "", "b"], ["a", ";", "b"]])
def test_what_quadlet_or_systemd_would_lose_is_refused(argv: list[str]) -> None:
    with pytest.raises(Refusals, match="app app: service web: command: the argument .* gets lost"):
        service(command=argv)
