"""Guests that answer: their filesystem, Docker and Watchtower go into the inventory, and the plan takes Watchtower over."""

import json
from typing import Any

import pytest

from tests.adopt.conftest import Handmade, specs
from tests.resources.guest.test_watchtower import facts
from zerotoil.adopt import guest as guests
from zerotoil.adopt.guest import FoundGuest
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.data_volume import Filesystem
from zerotoil.model.spec import HostSpec
from zerotoil.resources.guest import Guest, guest_resources

DATA = {"source": "/dev/vdb", "type": "xfs", "label": "vault", "uuid": "1111"}


def by_hand(**env: str) -> dict[str, Any]:
    """What a guest says whose Watchtower was made by hand, with this environment."""
    found = facts(data=DATA)
    config = found["containers"][0]["Config"]
    config["Labels"] = {}
    config["Env"] = [f"{name}={value}" for name, value in env.items()]
    return found


def answering(found: dict[str, Any]) -> Guest:
    return Guest("matrix", lambda _script: json.dumps(found))


def test_what_runs_becomes_keys() -> None:
    found = by_hand(
        TZ="Europe/London",
        WATCHTOWER_SCHEDULE="0 0 4 * * *",
        WATCHTOWER_CLEANUP="true",
        WATCHTOWER_COOLDOWN_DELAY="12h",
        WATCHTOWER_NOTIFICATION_URL="signal://s3cret",
        WATCHTOWER_INCLUDE_STOPPED="true",
    )
    read = guests.read(lambda: answering(found))
    assert isinstance(read, FoundGuest)
    assert (read.filesystem, read.docker) == (Filesystem("xfs", "vault", "1111"), True)
    assert read.watchtower == {
        "watchtower_image": "nickfedor/watchtower:1.21.0",
        "watchtower_restart": "always",
        "watchtower_timezone": "Europe/London",
        "watchtower_schedule": "0 0 4 * * *",
        "watchtower_cleanup": True,
        "watchtower_label_enable": False,
        "watchtower_rolling_restart": False,
        "watchtower_cooldown": "12 hours",
    }
    assert read.remarks == [
        "not known: watchtower_notify_url; put the URL into a file of mode 0600, it is not copied from there",
        "not taken over: WATCHTOWER_INCLUDE_STOPPED, for which there is no key",
    ]
    assert "s3cret" not in repr(read)


def test_what_no_key_allows_is_said_and_left_out() -> None:
    found = by_hand(TZ="Nowhere/Land", WATCHTOWER_POLL_INTERVAL="300")
    found["containers"][0]["Config"] |= {
        "Image": "containrrr/watchtower",
        "Cmd": ["--cleanup", "--notification-url", "telegram://t0ken@telegram"],
    }
    read = guests.read(lambda: answering(found))
    assert isinstance(read, FoundGuest) and read.watchtower is not None
    assert "watchtower_image" not in read.watchtower and "watchtower_timezone" not in read.watchtower
    assert read.remarks == [
        "not taken over: watchtower_image, which is 'containrrr/watchtower' there",
        "not taken over: watchtower_timezone, which is 'Nowhere/Land' there",
        "not known: watchtower_schedule; there it looks at an interval, from now on at 03:30",
        "not taken over: WATCHTOWER_POLL_INTERVAL, for which there is no key",
        "not taken over: Watchtower's arguments --cleanup --notification-url ********",
    ]


@pytest.mark.parametrize("docker", ["enabled", "disabled"])
def test_a_guest_without_watchtower(docker: str) -> None:
    read = guests.read(lambda: answering(facts(containers=[], units={"docker.service": {"enabled": docker, "active": "active"}})))
    assert isinstance(read, FoundGuest)
    assert (read.watchtower, read.filesystem, read.docker) == (None, None, docker == "enabled")


def test_guests_go_into_the_inventory_and_one_that_is_silent_is_said(one: Handmade) -> None:
    def guest(spec: HostSpec) -> Guest:
        if spec.name == "mail":
            raise LabError("mail: the VM has no address yet", "is DHCP answering?", code=Code.NO_ADDRESS)
        return answering(by_hand(TZ="UTC", WATCHTOWER_SCHEDULE="0 0 4 * * *"))

    found = one.adopt("matrix", "mail", guest=guest)
    text = found.written.text()
    assert "# not known: the guest could not be read (mail: the VM has no address yet: is DHCP answering?)" in text
    declared = specs(text)
    matrix, mail = declared["matrix"], declared["mail"]
    assert matrix.ssh.user == "robot"
    assert (matrix.data.filesystem, matrix.data.label) == ("xfs", "vault")
    assert (matrix.docker.enabled, matrix.watchtower.enabled, matrix.watchtower.schedule) == (True, True, "0 0 4 * * *")
    assert (mail.docker.enabled, mail.watchtower.enabled) == (False, False)
    kept = [resource for resource in guest_resources(matrix, guest(matrix)) if resource.key != "own files"]
    changes = [str(change) for resource in kept for change in resource.plan()]
    assert changes[0].startswith("container watchtower: environment ") and "COOLDOWN" in changes[0]
    assert changes[1:] == ["container watchtower: owner  -> home/matrix"]


def test_without_consent_a_watchtower_made_by_hand_is_refused() -> None:
    from tests.conftest import make_spec

    *_, kept = guest_resources(make_spec(), answering(by_hand(TZ="UTC")))
    with pytest.raises(LabError, match="a container named watchtower runs there that is not ours"):
        kept.plan()
