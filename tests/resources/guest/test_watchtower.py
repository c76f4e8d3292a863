"""Watchtower's container: what is declared, what `docker inspect` says, and every drift between them."""

import copy
import hashlib
import json
from typing import Any

import pytest

from tests.conftest import make_spec
from zerotoil.errors import LabError
from zerotoil.model.secret import Secret
from zerotoil.resources.guest import Guest, guest_resources
from zerotoil.resources.guest.watchtower import Watchtower, declared

URL = "signal://s3cret@host"


def facts(**changes: Any) -> dict[str, Any]:
    """What observe.sh prints in a guest where Watchtower runs as declared by default."""
    container = {
        "Name": "/watchtower",
        "State": {"Status": "running"},
        "Config": {
            "Image": "nickfedor/watchtower:1.21.0",
            "Env": [
                "TZ=UTC",
                "WATCHTOWER_SCHEDULE=0 30 3 * * *",
                "WATCHTOWER_CLEANUP=true",
                "WATCHTOWER_LABEL_ENABLE=true",
                "WATCHTOWER_ROLLING_RESTART=false",
                "WATCHTOWER_COOLDOWN_DELAY=3d",
                "PATH=/usr/bin",
            ],
            "Cmd": None,
            "Labels": {"zerotoil.owner": "home/matrix", "org.opencontainers.image.title": "watchtower"},
        },
        "HostConfig": {
            "RestartPolicy": {"Name": "always", "MaximumRetryCount": 0},
            "SecurityOpt": ["label=disable"],
            "Binds": ["/var/run/docker.sock:/var/run/docker.sock"],
        },
    }
    return {
        "data": None,
        "units": {"docker.service": {"active": "active", "enabled": "enabled"}},
        "containers": [container],
        "notify_sha256": "",
    } | changes


def watchtower(observed: dict[str, Any], **keys: Any) -> Watchtower:
    spec = make_spec(**keys)
    return Watchtower(Guest("matrix", lambda script: json.dumps(observed)), spec.watchtower, spec.owner)


def test_as_declared_is_no_change() -> None:
    assert watchtower(facts()).plan() == []


DRIFT = [
    (("HostConfig", "RestartPolicy", "Name"), "no", "container watchtower: restart policy no -> always"),
    (("HostConfig", "SecurityOpt"), None, "container watchtower: security options [] -> ['label=disable']"),
    (("Config", "Image"), "containrrr/watchtower:1.7.1", "image containrrr/watchtower:1.7.1 -> nickfedor/watchtower:1.21.0"),
    (("State", "Status"), "exited", "container watchtower: state exited -> running"),
    (
        ("HostConfig", "Binds"),
        ["/var/run/docker.sock:/var/run/docker.sock:z"],
        "mounts ['/var/run/docker.sock:/var/run/docker.sock:z'] ->",
    ),
    (("Config", "Cmd"), ["--run-once"], "arguments ['--run-once'] -> []"),
    (("Config", "Env"), ["TZ=UTC"], "environment {'TZ': 'UTC'} ->"),
]


@pytest.mark.parametrize(("path", "value", "line"), DRIFT, ids=[".".join(path) for path, _, _ in DRIFT])
def test_each_drift_is_seen_alone(path: tuple[str, ...], value: Any, line: str) -> None:
    observed = copy.deepcopy(facts())
    place = observed["containers"][0]
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    changes = watchtower(observed).plan()
    assert len(changes) == 1
    assert line in str(changes[0])


def test_an_absent_container_is_shown_field_by_field() -> None:
    changes = watchtower(facts(containers=[])).plan()
    assert [change.field for change in changes] == list(declared(make_spec().watchtower, "home/matrix"))


def test_a_container_that_is_not_ours_is_left_alone() -> None:
    observed = facts()
    observed["containers"][0]["Config"]["Labels"] = {}
    with pytest.raises(LabError, match="matrix: a container named watchtower runs there that is not ours: remove or rename it"):
        watchtower(observed).plan()


def test_the_notification_url_is_compared_by_hash_and_never_shown() -> None:
    keys = {"watchtower_notify_url": Secret(URL)}
    observed = facts(notify_sha256=hashlib.sha256(f"{URL}\n".encode()).hexdigest())
    container = observed["containers"][0]
    container["Config"]["Env"] += ["WATCHTOWER_NOTIFICATION_URL=/run/secrets/notify-url", "WATCHTOWER_NOTIFICATION_REPORT=true"]
    container["HostConfig"]["Binds"].append("/var/lib/zerotoil/watchtower/notify-url:/run/secrets/notify-url:ro")
    assert watchtower(observed, **keys).plan() == []
    changed = watchtower(observed | {"notify_sha256": "0"}, **keys).plan()
    assert [str(change) for change in changed] == ["container watchtower: notification URL ******** -> ******** (new)"]


def test_no_secret_in_what_docker_is_given() -> None:
    scripts: list[str] = []
    observed = facts(containers=[])

    def shell(script: str) -> str:
        scripts.append(script)
        return json.dumps(observed)

    spec = make_spec(watchtower_notify_url=Secret(URL))
    with pytest.raises(LabError, match="accepted the change but did not make it"):
        Watchtower(Guest("matrix", shell), spec.watchtower, spec.owner).apply()
    lines = [line for line in scripts[1].splitlines() if URL in line]
    assert lines == [URL], "the URL stands alone, in the here-document that becomes the 0600 file"
    assert "label=disable" in scripts[1]
    assert ":z" not in scripts[1]


def test_docker_is_enabled_and_started() -> None:
    spec = make_spec(watchtower_enabled=False)
    units = {"docker.service": {"enabled": "disabled", "active": "inactive"}}
    docker, _own_files = guest_resources(spec, Guest("matrix", lambda script: json.dumps(facts(units=units))))
    assert [str(change) for change in docker.plan()] == [
        "docker.service: enabled disabled -> enabled",
        "docker.service: state inactive -> active",
    ]


def test_a_guest_that_answers_nonsense() -> None:
    with pytest.raises(LabError, match="matrix: the guest answered no JSON"):
        Guest("matrix", lambda script: "bash: jq: command not found").facts()


def test_an_unmounted_data_disk_is_an_error() -> None:
    with pytest.raises(LabError, match="matrix: /var/mnt/data is not mounted: nothing was changed in the guest"):
        Guest("matrix", lambda script: json.dumps(facts())).data_filesystem()
