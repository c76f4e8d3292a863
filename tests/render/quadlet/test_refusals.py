"""What podman cannot be given: each in one line with app, service, key and what to write; all of a file at once."""

import re
from typing import Any

import pytest

from zerotoil.error_codes import Code
from zerotoil.render.quadlet import Refusals, quadlets, unit_clashes

IMAGE = "docker.io/library/busybox:1"
CANNOT, WRONG, CLASH = (
    Code.QUADLET_CANNOT_SAY, Code.QUADLET_WRONG_VALUE, Code.QUADLET_CLASH,
)  # fmt: skip


def refused(compose: dict[str, Any], policy: str = "off") -> Refusals:
    with pytest.raises(Refusals) as caught:
        quadlets("app", compose, "lab/host", {"web": policy})
    return caught.value


def of_service(
    policy: str = "off", other: dict[str, Any] | None = None, top: dict[str, Any] | None = None, **spec: Any
) -> Refusals:
    both = {"web": {"image": IMAGE, **spec}} | ({"other": {"image": IMAGE, **other}} if other is not None else {})
    return refused({"services": both, **(top or {})}, policy)


SERVICE = [
    ({"build": "."}, CANNOT, "build: podman's quadlets have nothing like it; build the image elsewhere, push it"),
    ({"image": None}, WRONG, "image: is missing; name the image"),
    ({"image": "Post gres"}, WRONG, "image: 'Post gres' is no image; write for instance docker.io/library/postgres:16"),
    (
        {"logging": {"driver": "none"}},
        CANNOT,
        "logging: podman's quadlets have nothing like it; podman writes to the guest's journal",
    ),
    ({"deploy": {}}, CANNOT, "deploy: podman's quadlets have nothing like it; write mem_limit, cpus or pids_limit instead"),
    ({"profiles": ["x"]}, CANNOT, "profiles: "),
    ({"no_such_key": 1}, CANNOT, "no_such_key: podman's quadlets have nothing like it; leave it out"),
    ({"pull_policy": "always"}, CANNOT, "pull_policy: 'always': the app's update policy says when an image is pulled"),
    ({"command": []}, CANNOT, "command: an empty command cannot be expressed"),
    ({"command": "echo 'a"}, WRONG, "cannot be split into arguments (No closing quotation); write it as a list"),
    ({"environment": ["TOKEN"]}, CANNOT, "environment: TOKEN has no value, and a unit has no shell to take it from"),
    ({"environment": {"A B": 1}}, WRONG, "environment: 'A B' cannot be the name of a variable"),
    ({"ports": ["80", "8080:http"]}, WRONG, "ports[1]: '8080:http' is not a port; write for instance 127.0.0.1:8080:80"),
    ({"ports": ["8000-8009:80"]}, CANNOT, "ports[0]: '8000-8009:80': podman needs as many ports on the host as in the container"),
    ({"ports": ["80:80"], "network_mode": "host"}, CANNOT, "ports[0]: a port cannot be published with network_mode host"),
    ({"volumes": ["/data"]}, CANNOT, "volumes[0]: /data has no source, and podman removes such a volume with the container"),
    ({"volumes": ["~/x:/data"]}, CANNOT, "volumes[0]: ~/x has no meaning in the guest"),
    ({"volumes": ["cache:/data"]}, WRONG, "volumes[0]: cache is not declared under volumes; add it there; declared: none"),
    ({"volumes": ["./x:/data:zz"]}, CANNOT, "volumes[0]: podman has no mount option zz"),
    ({"volumes": ["./x:data"]}, WRONG, "volumes[0]: 'data' is no absolute path in the container"),
    (
        {"volumes": ["/var/run/docker.sock:/var/run/docker.sock"]},
        CANNOT,
        "a host with podman has no Docker; bind podman's socket",
    ),
    ({"volumes": [{"type": "volume", "target": "/x"}]}, CANNOT, "volumes[0]: /x has no source"),
    ({"volumes": [{"type": "npipe", "source": "a", "target": "/x"}]}, CANNOT, "a mount of the type 'npipe' cannot be expressed"),
    (
        {"volumes": [{"type": "volume", "source": "a", "target": "/x", "volume": {"subpath": "y"}}]},
        CANNOT,
        "nothing like subpath",
    ),
    ({"volumes": {"a": "b"}}, WRONG, "volumes: is not a list"),
    ({"secrets": ["s"]}, WRONG, "secrets[0]: s is not declared under secrets"),
    (
        {"secrets": ["s"], "top": {"secrets": {"s": {"environment": "S"}}}},
        CANNOT,
        "s is declared by environment, and podman gets",
    ),
    ({"secrets": ["s"], "top": {"secrets": {"s": {"external": True}}}}, CANNOT, "s is declared by external"),
    ({"configs": ["c"], "top": {"configs": {"c": {"content": "x"}}}}, CANNOT, "configs[0]: c is declared by content"),
    (
        {"secrets": [{"source": "s", "mode": 0o400}], "top": {"secrets": {"s": {"file": "s"}}}},
        CANNOT,
        "give the file itself its mode",
    ),
    ({"networks": ["back"]}, WRONG, "networks: back is not declared under networks"),
    ({"networks": {"default": {"priority": 1}}}, CANNOT, "networks: podman has nothing like priority there"),
    ({"network_mode": "bridge"}, CANNOT, "networks: 'bridge' cannot be expressed; write host, none or service:NAME"),
    ({"depends_on": ["none"]}, WRONG, "depends_on: none is no service of the app; services: web"),
    (
        {"depends_on": {"other": {"condition": "service_healthy"}}, "other": {}},
        CANNOT,
        "other has no healthcheck in the compose file",
    ),
    ({"depends_on": {"other": {"condition": "service_completed_successfully"}}, "other": {}}, CANNOT, "other would have to end"),
    ({"healthcheck": {"interval": "5s"}}, CANNOT, "healthcheck: test is missing"),
    ({"healthcheck": {"test": ["curl", "x"]}}, WRONG, "is not CMD with a command, CMD-SHELL with one text, or NONE"),
    ({"healthcheck": {"test": ["CMD", "a b"]}}, CANNOT, "podman would misread the check"),
    ({"healthcheck": {"test": "a", "interval": 5}}, WRONG, "healthcheck: 5 is not a duration; write for instance 1m30s"),
    ({"healthcheck": {"test": "a", "retries": 0}}, WRONG, "retries 0 is not a whole number of at least 1"),
    ({"healthcheck": {"test": "a", "start_interval": "1s"}}, CANNOT, "podman has nothing like start_interval there"),
    ({"policy": "auto+revert"}, CANNOT, "updates: auto+revert without a healthcheck"),
    ({"policy": "always"}, WRONG, "updates: 'always' is no policy; write auto, notify, off or auto+revert"),
    (
        {"labels": {"io.containers.autoupdate": "local"}},
        CANNOT,
        "labels: io.containers.autoupdate contradicts the app's update policy",
    ),
    ({"restart": "on-failure:3"}, CANNOT, "restart: 'on-failure:3' cannot be expressed; write no, always, unless-stopped"),
    ({"security_opt": ["apparmor=x"]}, CANNOT, "security_opt[0]: 'apparmor=x' cannot be expressed; write label=disable"),
    ({"sysctls": {"a": 'x"y'}}, CANNOT, "has a quote or a backslash, which a quadlet cannot hold there"),
    ({"working_dir": "/x\\"}, CANNOT, "working_dir: '/x\\\\' begins or ends in a blank, a quote or a backslash"),
    ({"init": "yes"}, WRONG, "init: 'yes' is neither true nor false"),
    ({"shm_size": "big"}, WRONG, "shm_size: 'big' is not a size; write for instance 64m"),
    ({"cpus": "half"}, WRONG, "cpus: 'half' is not a number"),
    ({"extra_hosts": ["a"]}, WRONG, "extra_hosts: 'a' has no address; write NAME=ADDRESS"),
    ({"env_file": [{"path": "a", "required": False}]}, CANNOT, "env_file[0]: podman needs the file to be there"),
    ({"container_name": "-x"}, WRONG, "container_name: '-x' cannot be a container's name"),
    ({"expose": ["http"]}, WRONG, "expose: 'http' is not a port"),
    ({"ulimits": {"nofile": {"soft": "x"}}}, WRONG, "ulimits: 'x' is not a number"),
    (
        {"networks": ["x"], "top": {"networks": {"x": {"attachable": True}}}},
        CANNOT,
        "networks.x: podman has nothing like attachable",
    ),
    ({"volumes": ["v:/v"], "top": {"volumes": {"v": {"driver": "rclone"}}}}, CANNOT, "volumes.v: only the driver local"),
]


@pytest.mark.parametrize(("spec", "code", "words"), SERVICE, ids=[f"{spec}"[:70] for spec, _, _ in SERVICE])
def test_a_service(spec: dict[str, Any], code: Code, words: str) -> None:
    error = of_service(**spec)
    assert len(error.found) == 1, str(error)
    assert words in str(error)
    assert error.code is code
    assert re.match(r"app app: (service \w+: )?[\w.\[\]]+: .+; .+", str(error))


TOP = [
    ({}, "services: there are none; declare at least one"),
    ({"include": ["x"], "services": {"web": {"image": IMAGE}}}, "app app: include: podman's quadlets have nothing like it"),
    ({"name": "other", "services": {"web": {"image": IMAGE}}}, "name: 'other' is not the app's name; leave it out"),
    ({"services": {"we b": {"image": IMAGE}}}, "service we b: this cannot be a service's name"),
    ({"services": ["web"]}, "compose.yaml: ['web'] is not a mapping"),
]


@pytest.mark.parametrize(("compose", "words"), TOP, ids=[words[:40] for _, words in TOP])
def test_a_file(compose: dict[str, Any], words: str) -> None:
    assert words in str(refused(compose))


def test_all_at_once_each_with_its_code() -> None:
    error = of_service(logging={}, ports=["x"], volumes=["/data"], other={"build": "."})
    assert error.shown.splitlines() == [
        "app app: service web: logging: podman's quadlets have nothing like it; podman writes to the guest's journal; "
        "leave it out [ZT160]",
        "app app: service web: ports[0]: 'x' is not a port; write for instance 127.0.0.1:8080:80, an IPv6 address in [] [ZT161]",
        "app app: service web: volumes[0]: /data has no source, and podman removes such a volume with the container, "
        "at every stop; bind a folder of the app: ./data:/data:Z [ZT160]",
        "app app: service other: build: podman's quadlets have nothing like it; "
        "build the image elsewhere, push it to a registry, and name it under image [ZT160]",
    ]
    assert error.code is CANNOT


def test_two_units_of_one_name_in_an_app() -> None:
    error = refused(
        {"services": {"web": {"image": IMAGE, "networks": ["x"]}, "x-network": {"image": IMAGE}}, "networks": {"x": {}}}
    )
    assert str(error) == "app app: services.x-network and networks.x: both would be app-x-network.service; rename one of them"
    assert error.code is CLASH


def test_two_containers_of_one_name_in_an_app() -> None:
    error = of_service(container_name="same", other={"container_name": "same"})
    assert str(error) == "app app: services.web and services.other: both would be same; rename one of them"


def test_two_apps_with_units_of_one_name() -> None:
    first = quadlets("a", {"services": {"b-c": {"image": IMAGE}}}, "lab/host", {})
    second = quadlets("a-b", {"services": {"c": {"image": IMAGE}}}, "lab/host", {})
    clashes = unit_clashes({"a": first, "a-b": second})
    assert [str(clash) for clash in clashes] == [
        "app a-b: services: the app a makes a-b-c.service too; rename the app or the service",
        "app a-b: services: the app a makes a-b-c-1 too; rename the app or the service",
    ]
    assert {clash.code for clash in clashes} == {CLASH}
    assert unit_clashes({"a": first}) == []
