"""Each code is reached: the real function, on a pretend server or an empty folder, ends in just this code."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import make_spec
from tests.errors import beside, cluster, declared, lab, os_image, servers, undo
from tests.errors.sshd import OTHER_KEY, listening
from tests.errors.world import Provoke, World
from zerotoil.clients import ssh
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.inventory import Problem

TABLES = (declared.CASES, servers.CASES, lab.CASES, beside.CASES, undo.CASES, cluster.CASES, os_image.CASES)
CASES = {code: provoke for table in TABLES for code, provoke in table.items()}


def reached(provoke: Provoke, world: World) -> Any:
    try:
        found = provoke(world)
    except LabError as error:
        assert error.shown == f"{error} [{error.code}]"
        return error.code
    if isinstance(found, Problem):
        assert found.shown == f"{found} [{found.code}]"
        return found.code
    return found


@pytest.mark.parametrize("code", sorted(CASES), ids=lambda code: f"{code} {code.name}")
def test_it_is_reached(code: Code, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    with ExitStack() as stack:
        found = reached(CASES[code], World(tmp_path, monkeypatch, request, stack))
    if isinstance(found, list):  # a command says it wherever a person may look, and nothing else
        assert found and set(found) == {code}
    else:
        assert found is code


@pytest.mark.parametrize(
    ("pinned", "listens", "code"),
    [
        (False, False, Code.SSH_REFUSED),
        (False, True, Code.SSH_NOT_ACCEPTED),
        (True, True, Code.HOST_KEY_CHANGED),
    ],
)
def test_openssh_has_the_same_codes_as_pyinfra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, pinned: bool, listens: bool, code: Code
) -> None:
    """A plan reads a guest by OpenSSH, which has one exit code for all of it."""
    known = tmp_path / "known_hosts"
    known.write_text(f"matrix ssh-ed25519 {OTHER_KEY}\n" if pinned else "")
    with ExitStack() as stack:
        port = 9
        if listens:
            port = listening(World(tmp_path, monkeypatch, request, stack)).getsockname()[1]
        with pytest.raises(LabError) as caught:
            ssh.shell(make_spec(ssh_port=port, ssh_user="nobody"), "127.0.0.1", known, timeout=20)("true")
    assert caught.value.code is code, str(caught.value)


def test_every_code_is_in_the_table_once() -> None:
    assert set(CASES) == set(Code)
    assert len(CASES) == sum(map(len, TABLES))
