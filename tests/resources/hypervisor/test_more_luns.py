"""The block form with more volumes: the kernel's login sees LUNs that came after it only when it is told to look."""

from types import SimpleNamespace
from typing import Any

import pytest

from tests.conftest import make_spec
from zerotoil.errors import LabError
from zerotoil.render.domain_storage import render_iscsi_pool
from zerotoil.resources.hypervisor import iscsi_pool
from zerotoil.resources.hypervisor.iscsi_pool import IscsiPool

IQN = "iqn.2005-10.org.freenas.ctl:matrix"
MORE = {"media": {"size": "1 GiB"}, "db": {"size": "1 GiB", "lun": 12}}


class Storage:
    """libvirt's iscsi pool, started; a refresh shows the LUNs that the NAS serves."""

    def __init__(self, seen: set[str], served: set[str], spec: Any) -> None:
        self.seen, self.served, self.spec, self.looks = seen, served, spec, 0

    def pools(self) -> dict[str, tuple[bool, bool]]:
        return {"matrix-data": (True, True)}

    def pool_xml(self, _pool: str) -> str:
        return render_iscsi_pool(self.spec, IQN)

    def names(self, _pool: str) -> frozenset[str]:
        return frozenset(f"unit:0:0:{lun}" for lun in self.seen)

    def refresh(self, _pool: str) -> None:
        self.looks, self.seen = self.looks + 1, self.served


def pool(monkeypatch: pytest.MonkeyPatch, seen: set[str], served: set[str], **keys: Any) -> tuple[IscsiPool, Storage]:
    monkeypatch.setattr(iscsi_pool, "keeps_disk", lambda *_: False)
    spec = make_spec(**keys)
    storage = Storage(seen, served, spec)
    hypervisor: Any = SimpleNamespace(storage=storage, is_test=False, forget=lambda: None, domains=dict)
    return IscsiPool(spec, hypervisor, IQN), storage


def test_it_looks_for_what_it_does_not_see_and_only_then(monkeypatch: pytest.MonkeyPatch) -> None:
    made, storage = pool(monkeypatch, {"0", "2"}, {"0", "1", "12"}, data_more=MORE)
    assert [str(change) for change in made.plan()] == [
        "iSCSI pool matrix-data: LUN 1 not seen -> seen",
        "iSCSI pool matrix-data: LUN 12 not seen -> seen",
    ]
    made.apply()
    assert storage.looks == 1 and made.plan() == [] and made.apply() == [] and storage.looks == 1


def test_what_the_nas_does_not_serve_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    made, _ = pool(monkeypatch, {"0"}, {"0", "1"}, data_more=MORE)
    with pytest.raises(LabError, match="LUN 12 not seen -> seen"):
        made.apply()


def test_a_host_with_its_data_alone_asks_for_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    made, storage = pool(monkeypatch, set(), set())
    assert made.plan() == [] and made.apply() == [] and storage.looks == 0
