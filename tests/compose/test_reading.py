"""What is read out of a compose file, in whatever syntax it is written."""

from typing import Any

import pytest

from zerotoil.error_codes import Code
from zerotoil.model.compose import App, AppProblems, Bind, NamedVolume, Port, Service, check, lint, parse
from zerotoil.model.compose.hostpath import Where
from zerotoil.model.compose.source import read
from zerotoil.model.compose.variables import Variables, read_env
from zerotoil.model.units import Lifetime


def app(text: str, **files: str) -> App:
    return parse("shop", text, "notify", {name.replace("_", "."): content for name, content in files.items()})


def service(body: str) -> Service:
    lines = "".join(f"    {line}\n" for line in body.strip("\n").splitlines())
    return app(f"services:\n  web:\n    image: docker.io/library/web:1\n{lines}").services["web"]


# What compose-go v2.16.2 makes of these plain scalars, too; but of dates, which it rewrites, and of infinity, which it refuses.
SCALARS = {
    "off": "off", "yes": "yes", "22:22": "22:22", "0777": 511, "0o17": 15, "0x1F": 31, "1_000": 1000, "-3": -3, "1.5": 1.5,
    "1e3": 1000.0, "true": True, "False": False, "~": None, "null": None, "2020-01-01": "2020-01-01", "1.2.3": "1.2.3",
    "'5'": "5", "!!str 5": "5", "0b11": 3, "08": 8, "+1": 1, "1:30": "1:30", "Yes": "Yes", "n": "n", ".5": 0.5,
    "-.inf": float("-inf"),
}  # fmt: skip


@pytest.mark.parametrize(("written", "value"), SCALARS.items())
def test_plain_scalars_are_read_as_compose_reads_them(written: str, value: Any) -> None:
    made = read(f"a: {written}\n").value["a"]
    assert (made, type(made)) == (value, type(value))


def test_merges_and_keys_as_compose_has_them() -> None:
    source = read("x: &x {p: 1, q: 2}\ny: &y {<<: *x, q: 3}\nz:\n  <<: [*y, {r: 8}]\n  r: 9\n1: one\ntrue: yes\n")
    assert source.value["z"] == {"r": 9, "q": 3, "p": 1}
    assert source.value["1"] == "one"
    assert source.value["true"] == "yes"
    assert source.lines[("z", "r")] == 5
    assert source.lines[("z", "q")] == 2


def test_a_text_that_repeats_itself_too_much_is_refused() -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{name}: &{name} [{', '.join(['*' + before] * 10)}]\n" for before, name in zip("abcde", "bcdef", strict=True)
    )
    with pytest.raises(ValueError, match="aliases repeat too much"):
        read(bomb)


def test_short_and_long_syntax_say_the_same() -> None:
    short = service(
        """
ports: ["127.0.0.1:8080:80/udp", 9000]
volumes: ["./data:/data:ro,Z", /anonymous]
environment: [A=1, B, "C=x=y"]
labels: [zerotoil.updates=off, x=1]
profiles: [a]
"""
    )
    long = service(
        """
ports:
  - {target: 80, published: "8080", host_ip: 127.0.0.1, protocol: udp}
  - {target: 9000}
volumes:
  - {type: bind, source: ./data, target: /data, read_only: true, bind: {selinux: Z}}
environment: {A: 1, B: , C: x=y}
labels: {zerotoil.updates: off, x: 1}
profiles: [a]
"""
    )
    assert short.ports == long.ports == (Port(80, 8080, "127.0.0.1", "udp", 0), Port(9000, index=1))
    assert short.environment == long.environment == {"A": "1", "B": None, "C": "x=y"}
    assert short.labels == long.labels == {"zerotoil.updates": "off", "x": "1"}
    assert short.updates == long.updates == "off"
    path = "/var/mnt/data/apps/shop/data"
    assert short.binds == (Bind("./data", path, Where.OWN, "/data", True, "Z", options=("ro", "Z")),)
    assert long.binds == (Bind("./data", path, Where.OWN, "/data", True, "Z", short=False),)


def test_a_whole_app() -> None:
    shop = app(
        """
x-zerotoil: {updates: auto+revert, min_age: 2 weeks, allow: {etc: its certificates}, tags: {db: ">=17 <19 || ^20"}}
name: shop
services:
  web:
    image: ghcr.io/a/b:${TAG}
    restart: unless-stopped
    container_name: shop
    scale: "1"
    network_mode: host
    env_file: [{path: web.env}]
    depends_on: {db: {condition: service_healthy}}
    security_opt: ["label:disable"]
    privileged: true
    volumes: [/etc/ssl:/ssl:ro]
  db:
    image: docker.io/library/postgres:18
    deploy: {replicas: 2}
    healthcheck: {test: [CMD, pg_isready]}
    labels: {zerotoil.updates: "off"}
    volumes: [{type: volume, source: data, target: /data, read_only: true}]
    depends_on: []
volumes: {data: }
""",
        _env="TAG=1.4\n",
        web_env="A=1\n",
    )
    web, db = shop.services["web"], shop.services["db"]
    assert (shop.updates, web.updates, db.updates) == ("auto+revert", "auto+revert", "off")
    assert shop.policy.min_age == Lifetime(2, "week")
    assert shop.policy.tags == {"db": ">=17 <19 || ^20"}
    assert (web.image, web.restart, web.container_name, web.network_mode) == ("ghcr.io/a/b:1.4", "unless-stopped", "shop", "host")
    assert (web.depends_on, db.depends_on) == ({"db": "service_healthy"}, {})
    assert (web.healthcheck, db.healthcheck) == (False, True)
    assert (web.env_file, web.replicas, db.replicas, web.privileged) == (("web.env",), 1, 2, True)
    assert web.label_disabled and not web.confined and db.confined
    assert db.volumes == (NamedVolume("data", "/data", True),)
    assert shop.document["services"]["web"]["image"] == "ghcr.io/a/b:1.4"
    assert shop.line("services", "db", "image") == 17
    assert lint(shop) == []


def test_what_is_not_said_is_the_hosts() -> None:
    shop = app("services: {web: {image: docker.io/library/web:1}}")
    assert (shop.updates, shop.services["web"].updates, shop.policy.min_age) == ("notify", "notify", None)


def test_a_healthcheck_that_is_switched_off_is_none() -> None:
    assert not service("healthcheck: {disable: true}").healthcheck
    assert not service("healthcheck: {test: [NONE]}").healthcheck
    assert service("healthcheck: {test: curl localhost, interval: 1m30s}").healthcheck


@pytest.mark.parametrize(
    ("name", "right"), [("shop", True), ("shop-2", True), ("2shop", True), ("Shop", False), ("-shop", False), ("a_b", False)]
)
def test_an_apps_name(name: str, right: bool) -> None:
    _, found = check(name, "services: {web: {image: docker.io/library/web:1}}")
    assert [finding.code for finding in found] == ([] if right else [Code.COMPOSE_WRONG])


def test_parse_raises_everything_that_cannot_be_read_and_nothing_else() -> None:
    text = "services:\n  web:\n    imgae: x\n    ports: [a]\n    volumes: [./data:/data]\n"
    with pytest.raises(AppProblems) as caught:
        parse("shop", text)
    assert [(finding.line, finding.code) for finding in caught.value.found] == [(3, Code.COMPOSE_WRONG), (4, Code.COMPOSE_WRONG)]


def test_variables_as_compose_has_them() -> None:
    variables = Variables({"A": "1", "E": "", "N_1": "n"})
    for written, made in {
        "$A${A}a": "11a", "$$A": "$A", "${E:-d}": "d", "${E-d}": "", "${X:-${A}z}": "1z", "${A:+y}": "y", "${E:+n}": "",
        "${E+s}": "s", "${A:?}": "1", "${N_1}$N_1.": "nn.", "^x$ $5": "^x$ $5",
    }.items():  # fmt: skip
        assert variables.expand(written) == made
    assert variables.troubles == []
    variables.expand("$X ${X} ${X?} ${E:?} ${A b}")
    assert [what.partition(";")[0] for what in variables.troubles] == [
        "${X} is set nowhere", "${X} is set nowhere", "${X} is set nowhere", "${E} is set nowhere", "${A b} is no variable",
    ]  # fmt: skip


def test_env_files_as_compose_has_them() -> None:
    text = "# c\n\nA=1\nexport B='x $A' # c\nC=\"a\\n$A\\$\"\nD=\nE=foo#x # bar\nF: 3\nG='a\nb'\nH=${A}2\n=x\nI='\n"
    file = read_env(text)
    assert file.values == {"A": "1", "B": "x $A", "C": "a\n1$", "D": "", "E": "foo#x", "F": "3", "G": "a\nb", "H": "12"}
    assert file.lines["H"] == 11
    assert file.troubles == [(12, "no line of an .env file; write NAME=value"), (13, "the quote after I= is not closed")]


# By the rules and examples of the Compose specification, "Interpolation".
ENV = {"SET": "value", "EMPTY": "", "FOO": "foo"}
VARIABLES = [
    ("plain", "plain"),
    ("$SET-x ${SET}x", "value-x valuex"),
    ("$$SET $${SET} $$$SET", "$SET ${SET} $value"),
    ("cost: $5, 100$", "cost: $5, 100$"),
    ("${EMPTY}", ""),
    ("${EMPTY:-default}${EMPTY-default}", "default"),
    ("${NONE:-default}${NONE-default}", "defaultdefault"),
    ("${SET:-default}", "value"),
    ("${NONE:-}", ""),
    ("${NONE:-${FOO}}", "foo"),
    ("${NONE:-${NONE:-a b}}/c", "a b/c"),
    ("${NONE:-a:-b}", "a:-b"),
    ("${NONE:-what?}", "what?"),
    ("${SET:+yes}${EMPTY:+no}${EMPTY+yes}${NONE+no}", "yesyes"),
    ("${SET:?must be set}${EMPTY?fine}", "value"),
]
REFUSED_VARIABLES = ["$NONE", "${NONE}", "${EMPTY:?say $FOO}", "${NONE?}", "${NONE:-$OTHER}", "${SET/a/b}", "${5}", "${SET"]


@pytest.mark.parametrize(("text", "expected"), VARIABLES, ids=[text for text, _ in VARIABLES])
def test_a_variable_is_put_in(text: str, expected: str) -> None:
    variables = Variables(ENV)
    assert (variables.expand(text), variables.troubles) == (expected, [])


@pytest.mark.parametrize("text", REFUSED_VARIABLES)
def test_a_variable_that_has_no_value_or_is_none_is_a_trouble(text: str) -> None:
    variables = Variables(ENV)
    variables.expand(text)
    assert len(variables.troubles) == 1
