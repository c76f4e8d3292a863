"""An undo of a host of k3s: to before its last upgrade, and never of one member of a cluster alone."""

from datetime import timedelta

import pytest

from tests.layers.test_timeline import entry
from tests.resources.guest.test_k3s import cluster
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.workflows.swap import refuse_a_member
from zerotoil.workflows.undo import _last_update


def test_a_new_release_is_an_update_that_an_undo_goes_back_before() -> None:
    one, other = entry(0, k3s="v1.36.3+k3s1"), entry(9, k3s="v1.36.4+k3s1")
    assert _last_update([one, other], "") == other.time - timedelta(seconds=1)
    assert _last_update([one, other], "web") is None
    assert _last_update([entry(0), other], "") is None, "its first install is none"


def test_one_server_of_three_does_not_go_back_alone_but_an_agent_and_a_single_server_do() -> None:
    three = cluster("server", "server", "server", "agent")
    with pytest.raises(LabError, match="its datastore is one with host1, host2's") as caught:
        refuse_a_member(three["matrix"])
    assert caught.value.code is Code.UNDO_OF_A_MEMBER
    refuse_a_member(three["host3"])
    refuse_a_member(cluster("server", "agent")["matrix"])
