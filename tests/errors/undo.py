"""How each failure of an undo is provoked."""

from typing import Any

from tests.errors.world import Provoke, World
from tests.resources.nas.conftest import host
from tests.workflows.test_undo import Lab, build
from zerotoil.error_codes import Code
from zerotoil.model.k3s_cluster import Cluster
from zerotoil.resources.nas.present import Swap, note_swap
from zerotoil.workflows.undo import look_ahead, look_back, undo


def made(w: World) -> Lab:
    """A host with a snapshot of yesterday."""
    lab = build(w.sim(), w.tmp, w.patch)
    w.stack.callback(lab.nas.close)
    return lab


def interrupted(w: World) -> Any:
    lab = made(w)
    note_swap(lab.spec, lab.nas, Swap(lab.spec.zvol, f"{lab.spec.zvol}-undo-1", "now"))
    return lab.site.nas_resources()


def unhealthy(w: World) -> Any:
    lab = made(w)
    w.patch.setattr(lab, "state", "failed")
    return undo(lab.site, look_ahead(lab.site))


def of_another_engine(w: World) -> Any:
    lab = made(w)
    lab.podman()
    return look_ahead(lab.site)


def of_a_member(w: World) -> Any:
    lab = made(w)
    cluster = Cluster("home", ("matrix", "two", "three"), (), "etcd", "192.0.2.1")
    lab.spec = host(data_attach="network", k3s_role="server").model_copy(update={"k3s_in": cluster})
    return look_ahead(lab.site)


CASES: dict[Code, Provoke] = {
    Code.SWAP_UNFINISHED: interrupted,
    Code.NOTHING_TO_UNDO: lambda w: look_back(made(w).site),
    Code.UNDO_UNHEALTHY: unhealthy,
    Code.UNDO_OTHER_ENGINE: of_another_engine,
    Code.UNDO_OF_A_MEMBER: of_a_member,
}
