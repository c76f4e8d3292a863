"""What the rules let pass: right files, and exceptions with a reason. What they refuse is in the corpus."""

import pytest

from zerotoil.error_codes import Code
from zerotoil.model.compose import ALLOWABLE, Finding, check

WEB = "services:\n  web:\n    image: docker.io/library/web:1\n"


def found(text: str, **files: str) -> list[Finding]:
    return check("shop", text, files={name.replace("_", "."): content for name, content in files.items()})[1]


@pytest.mark.parametrize(
    "body",
    [
        "volumes: [./data:/data:Z, ./data:/again:Z]",  # one container, twice
        "volumes: [./data:/data:z]",
        "volumes: ['./data:/data:ro,z']",
        "volumes: [{type: bind, source: data, target: /data, bind: {selinux: Z}}]",
        "volumes: ['.:/app:ro,Z']",  # it cannot rewrite what it reads
        "volumes: [{type: tmpfs, target: /tmp}, /cache]",
        "privileged: true\n    volumes: [./data:/data]",  # runs unconfined
        "environment: {DB_PASSWORD_FILE: /run/secrets/db, TLS_PRIVATE_KEY: /certs/key, USE_TOKEN: 'true', API_KEY: ''}",
        "environment: [DB_PASSWORD, PASSWORD_MIN_LENGTH=12, URL=postgres://db/x]",
        "command: [serve, --password-file, /run/secrets/p, --token=$$TOKEN]",
        "image: docker.io/library/web@sha256:" + "0" * 64,
        "image: docker.io/library/web:latest",
        "networks: [default]",
        "labels: {com.centurylinklabs.watchtower.lifecycle.pre-update: /dump.sh}",
        "env_file: [{path: gone.env, required: false}, web.env]",
        "ports: ['${PORT:-80}:80']",
    ],
)
def test_what_is_right_is_left_alone(body: str) -> None:
    text = WEB.replace("    image: docker.io/library/web:1\n", "") if body.startswith("image") else WEB
    assert found(f"{text}    {body}\n", web_env="A=1\n") == []


NEEDS = {
    "docker-socket": "security_opt: [label=disable]\n    volumes: [/var/run/docker.sock:/var/run/docker.sock]",
    "host-root": "security_opt: [label=disable]\n    volumes: [/:/host:ro]",
    "etc": "volumes: [/etc/pki:/pki:ro]",
    "outside": "volumes: [/var/mnt/data/music:/music:z]",
    "secret": "environment: {DB_PASSWORD: x}",
    "no-registry": "hostname: web",
}


@pytest.mark.parametrize("rule", ALLOWABLE)
def test_an_exception_needs_its_own_reason(rule: str) -> None:
    text = f"{WEB}    {NEEDS[rule]}\n"
    if rule == "no-registry":
        text = text.replace("docker.io/library/", "")
    (finding,) = found(text)
    assert finding.rule == rule
    other = next(name for name in ALLOWABLE if name != rule)
    assert found(f'x-zerotoil: {{allow: {{{other}: "some reason"}}}}\n{text}') == [
        Finding(finding.code, finding.what, finding.line + 1, finding.file, rule)
    ]
    assert found(f'x-zerotoil: {{allow: {{{rule}: "some reason"}}}}\n{text}') == []


def test_a_reason_that_is_none_keeps_the_rule() -> None:
    text = f'x-zerotoil: {{allow: {{secret: "-", etc: "its certificates"}}}}\n{WEB}    {NEEDS["secret"]}\n'
    assert [finding.code for finding in found(text)] == [Code.APP_SETTINGS, Code.COMPOSE_SECRET]


def test_selinux_off_is_no_reason_to_relabel_the_host() -> None:
    mount = "    security_opt: [label=disable]\n    volumes: [/etc/pki:/pki:Z]\n"
    text = f"x-zerotoil: {{allow: {{etc: certificates}}}}\n{WEB}{mount}"
    (finding,) = found(text)
    assert finding.code is Code.COMPOSE_LABEL


def test_a_container_without_selinux_shares_what_another_keeps() -> None:
    text = (
        "x-zerotoil: {allow: {docker-socket: watches the others}}\n"
        f"{WEB}    volumes: [./data:/data:Z]\n"
        "  watch:\n    image: docker.io/library/watch:1\n    security_opt: [label=disable]\n"
        "    volumes: [./data:/data:ro, /run/docker.sock:/run/docker.sock]\n"
    )
    assert found(text) == []


def test_a_circle_of_three_is_told_in_its_order() -> None:
    text = "services:\n" + "".join(
        f"  {name}: {{image: docker.io/library/web:1, depends_on: [{other}]}}\n" for name, other in ("ab", "bc", "ca")
    )
    (finding,) = found(text)
    assert finding.what == "services.a: depends_on goes round in a circle: a -> b -> c -> a"


def test_the_line_is_that_of_the_mount_not_of_the_list() -> None:
    text = f"{WEB}    volumes:\n      - ./a:/a:Z\n\n      # the second\n      - ./b:/b\n"
    (finding,) = found(text)
    assert (finding.file, finding.line) == ("apps/shop/compose.yaml", 8)
