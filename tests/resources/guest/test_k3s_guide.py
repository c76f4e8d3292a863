"""The outputs in docs/guides/three-servers.md, from the real rules, plan and scripts with the stand-in for k3s."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import RIGHT
from tests.resources.guest.k3s_machine import OLD, Machine
from zerotoil.errors import LabError
from zerotoil.model.inventory import Declared, declare
from zerotoil.model.secret import Secret
from zerotoil.resources.guest import k3s_wait
from zerotoil.resources.guest.k3s import K3s

PAGE = Path(__file__).parents[3] / "docs/guides/three-servers.md"


def house(*names: str, **of_k3s2: Any) -> Declared:
    """Servers of one cluster, the first of them first."""
    hosts = {}
    for name in names:
        nics = [{"bridge": "br0", "address": f"192.0.2.{20 + int(name[-1])}/24"}]
        keys = {"k3s_role": "server", "k3s_cluster": "house", "k3s_token": Secret("join-me"), "vm_nics": nics}
        more = {"k3s_url": "http://lab.lan/k3s", "k3s_version": OLD, **(of_k3s2 if name == "k3s2" else {})}
        hosts[name] = [("host data", {**RIGHT, **keys, **more})]
    return declare(hosts)


def shown(*lines: str) -> None:
    """These lines stand in the page, together, as output."""
    text = "".join(f"    {line}\n" for line in lines)
    assert text in PAGE.read_text(), text


def test_what_cannot_work_is_refused() -> None:
    (uneven, held) = map(str, house("k3s1", "k3s2").problems)
    (flag, first, _) = map(str, house("k3s1", "k3s2", "k3s3", k3s_config={"cluster-cidr": "10.1.0.0/16"}).problems)
    shown(uneven)
    shown(flag)
    assert held == first
    shown(held)


def test_a_server_becomes_the_first_of_three(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(k3s_wait, "_SECONDS", 6)
    machine = Machine(tmp_path)

    def server(*names: str) -> K3s:
        machine.guest.forget()
        return K3s(machine.guest, house(*names).specs["k3s1"])

    try:
        server("k3s1").apply()
        shown(*map(str, server("k3s1", "k3s2", "k3s3").plan()))
        with pytest.raises(LabError) as caught:
            server("k3s2", "k3s1", "k3s3").plan()
        shown(caught.value.shown)
        server("k3s1", "k3s2", "k3s3").apply()
        assert server("k3s1", "k3s2", "k3s3").plan() == []
        with pytest.raises(LabError) as caught:
            server("k3s1").plan()
        shown(caught.value.shown)
    finally:
        machine.end()
