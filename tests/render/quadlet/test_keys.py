"""Each key of a compose service arrives at `podman run` or systemd as Compose means it, through podman's own generator."""

from typing import Any

import pytest

from tests.render.quadlet.generator import command, generated, lines, options
from zerotoil.render.quadlet import quadlets

IMAGE = "docker.io/library/busybox:1"
FOLDER = "/var/mnt/data/apps/app"


def services(
    policy: str = "off", other: dict[str, Any] | None = None, top: dict[str, Any] | None = None, **spec: Any
) -> dict[str, str]:
    """The generated services of an app with the services web and, when given, other."""
    both = {"web": {"image": IMAGE, **spec}} | ({"other": {"image": IMAGE, **other}} if other is not None else {})
    return generated(quadlets("app", {"services": both, **(top or {})}, "lab/host", {"web": policy}))


def web(**given: Any) -> str:
    return services(**given)["app-web.service"]


ARGUMENTS = [
    ({"image": "postgres:16"}, ["docker.io/library/postgres:16"]),
    ({"image": "nickfedor/watchtower"}, ["docker.io/nickfedor/watchtower:latest"]),
    ({"image": "localhost/x:1"}, ["localhost/x:1"]),
    ({"image": "registry.lan:5000/x"}, ["registry.lan:5000/x:latest"]),
    ({}, ["--name", "app-web-1"]),
    ({}, ["--pull", "missing"]),
    ({}, ["--network", "app_default:alias=web"]),
    ({}, ["--sdnotify=conmon"]),
    ({"container_name": "mine"}, ["--name", "mine"]),
    ({"command": "echo 'a b' $HOME"}, [IMAGE, "echo", "a b", "$HOME"]),
    ({"command": ["echo", 1, True]}, [IMAGE, "echo", "1", "true"]),
    ({"entrypoint": "/bin/sh -c"}, ["--entrypoint", '["/bin/sh", "-c"]']),
    ({"entrypoint": []}, ["--entrypoint="]),
    ({"environment": {"A": 1, "B": "", "C": True}}, ["--env", "A=1", "--env", "B=", "--env", "C=true"]),
    ({"environment": ["A=1=2"]}, ["--env", "A=1=2"]),
    ({"env_file": ["a.env", {"path": "./b c.env"}]}, ["--env-file", f"{FOLDER}/a.env", "--env-file", f"{FOLDER}/b c.env"]),
    ({"ports": [80]}, ["--publish", "80"]),
    ({"ports": ["8080:80/udp"]}, ["--publish", "8080:80/udp"]),
    ({"ports": ["[::1]:9000-9001:9000-9001"]}, ["--publish", "[::1]:9000-9001:9000-9001"]),
    ({"ports": [{"target": 80, "published": "8080", "host_ip": "::1"}]}, ["--publish", "[::1]:8080:80"]),
    ({"ports": [{"target": 80, "host_ip": "127.0.0.1", "protocol": "tcp"}]}, ["--publish", "127.0.0.1::80/tcp"]),
    ({"volumes": ["./a b:/data:Z"]}, ["-v", f"{FOLDER}/a b:/data:Z"]),
    ({"volumes": ["./100%/$x:/data"]}, ["-v", f"{FOLDER}/100%/$x:/data"]),
    ({"volumes": ["../shared:/data:ro,z,cached"]}, ["-v", "/var/mnt/data/apps/shared:/data:ro,z"]),
    ({"volumes": ["/srv/x:/data"]}, ["-v", "/srv/x:/data"]),
    (
        {"volumes": [{"type": "bind", "source": "./a", "target": "/a", "read_only": True, "bind": {"selinux": "Z"}}]},
        ["-v", f"{FOLDER}/a:/a:ro,Z"],
    ),
    (
        {"volumes": [{"type": "tmpfs", "target": "/t", "tmpfs": {"size": "1m", "mode": 0o700}}]},
        ["--tmpfs", "/t:size=1m,mode=700"],
    ),
    ({"tmpfs": ["/run", "/tmp:size=64m"]}, ["--tmpfs", "/run", "--tmpfs", "/tmp:size=64m"]),
    ({"user": "1000:1001"}, ["--user", "1000:1001"]),
    ({"user": 1000}, ["--user", "1000"]),
    ({"working_dir": "/srv/a b"}, ["--workdir", "/srv/a b"]),
    ({"hostname": "box"}, ["--hostname", "box"]),
    ({"extra_hosts": {"a": "192.0.2.1", "b": "[2001:db8::1]"}}, ["--add-host", "a:192.0.2.1", "--add-host", "b:2001:db8::1"]),
    ({"extra_hosts": ["a=192.0.2.1", "b:host-gateway"]}, ["--add-host", "a:192.0.2.1", "--add-host", "b:host-gateway"]),
    ({"expose": [8080, "9000-9001/udp"]}, ["--expose", "8080", "--expose", "9000-9001/udp"]),
    ({"init": True}, ["--init"]),
    ({"read_only": "true"}, ["--read-only"]),
    ({"shm_size": "64MB"}, ["--shm-size", "64mb"]),
    ({"sysctls": ["net.core.somaxconn=1024"]}, ["--sysctl", "net.core.somaxconn=1024"]),
    ({"sysctls": {"net.ipv4.ping_group_range": "0 1000"}}, ["--sysctl", "net.ipv4.ping_group_range=0 1000"]),
    ({"ulimits": {"nofile": {"soft": 1, "hard": 2}, "nproc": 3}}, ["--ulimit", "nofile=1:2", "--ulimit", "nproc=3"]),
    ({"cap_add": ["NET_ADMIN"], "cap_drop": ["ALL"]}, ["--cap-drop", "all", "--cap-add", "net_admin"]),
    ({"devices": ["/dev/a:/dev/b:r", {"source": "/dev/c"}]}, ["--device", "/dev/a:/dev/b:r", "--device", "/dev/c"]),
    ({"security_opt": ["label:disable"]}, ["--security-opt", "label=disable"]),
    ({"security_opt": ["label=type:spc_t"]}, ["--security-opt", "label=type:spc_t"]),
    ({"security_opt": ["no-new-privileges"]}, ["--security-opt=no-new-privileges"]),
    ({"security_opt": ["seccomp=unconfined"]}, ["--security-opt", "seccomp=unconfined"]),
    ({"dns": "192.0.2.53", "dns_search": ["lan"], "dns_opt": ["ndots:1"]}, ["--dns", "192.0.2.53"]),
    ({"group_add": ["video", 44]}, ["--group-add", "video", "--group-add", "44"]),
    ({"stop_signal": "SIGINT"}, ["--stop-signal", "SIGINT"]),
    ({"stop_grace_period": "1m30s"}, ["--stop-timeout", "90"]),
    ({"pids_limit": 10}, ["--pids-limit", "10"]),
    ({"annotations": {"a": "b c"}}, ["--annotation", "a=b c"]),
    ({"userns_mode": "keep-id"}, ["--userns", "keep-id"]),
    ({"mem_limit": "1g", "cpus": 1.5}, ["--memory=1g", "--cpus=1.5"]),
    ({"pid": "host", "platform": "linux/arm64"}, ["--pid=host", "--platform=linux/arm64"]),
    ({"privileged": True, "tty": True, "stdin_open": False}, ["--privileged", "--tty"]),
    ({"network_mode": "host"}, ["--network", "host"]),
    ({"network_mode": "service:other", "other": {}}, ["--network", "container:app-other-1"]),
    ({"networks": ["back"], "top": {"networks": {"back": {}}}}, ["--network", "app_back:alias=web"]),
    (
        {"networks": {"lan": {"mac_address": "02:00:00:00:00:01"}}, "top": {"networks": {"lan": {"external": True}}}},
        ["--network", "lan:alias=web,mac=02:00:00:00:00:01"],
    ),
    ({"volumes": ["v:/v:ro"], "top": {"volumes": {"v": None}}}, ["-v", "app_v:/v:ro"]),
    ({"volumes": ["v:/v"], "top": {"volumes": {"v": {"name": "mine"}}}}, ["-v", "mine:/v"]),
    ({"volumes": ["v:/v"], "top": {"volumes": {"v": {"external": True, "name": "theirs"}}}}, ["-v", "theirs:/v"]),
    ({"secrets": ["s"], "top": {"secrets": {"s": {"file": "./s.txt"}}}}, ["-v", f"{FOLDER}/s.txt:/run/secrets/s:ro,Z"]),
    (
        {"secrets": [{"source": "s", "target": "t"}], "top": {"secrets": {"s": {"file": "s"}}}},
        ["-v", f"{FOLDER}/s:/run/secrets/t:ro,Z"],
    ),
    (
        {"secrets": ["s"], "other": {"secrets": ["s"]}, "top": {"secrets": {"s": {"file": "s"}}}},
        ["-v", f"{FOLDER}/s:/run/secrets/s:ro,z"],
    ),
    ({"secrets": ["s"], "top": {"secrets": {"s": {"file": "/etc/machine-id"}}}}, ["-v", "/etc/machine-id:/run/secrets/s:ro"]),
    ({"configs": ["c"], "top": {"configs": {"c": {"file": "c"}}}}, ["-v", f"{FOLDER}/c:/c:ro,Z"]),
    ({"labels": ["a=b"]}, ["--label", "a=b"]),
    ({}, ["--label", "zerotoil.app=app", "--label", "zerotoil.owner=lab/host"]),
    ({"healthcheck": {"test": ["CMD", "/bin/ok"]}}, ["--health-cmd", "CMD /bin/ok"]),
    ({"healthcheck": {"test": ["CMD", "a", "b c"]}}, ["--health-cmd", '["a", "b c"]']),
    ({"healthcheck": {"test": "a || b"}}, ["--health-cmd", '["CMD-SHELL", "a || b"]']),
    ({"healthcheck": {"test": ["NONE"]}}, ["--health-cmd", "none"]),
    ({"healthcheck": {"test": "a", "interval": "1m30s", "retries": 2}}, ["--health-interval", "1m30s", "--health-retries", "2"]),
    (
        {"healthcheck": {"test": "a", "timeout": "5s", "start_period": "1m"}},
        ["--health-start-period", "1m", "--health-timeout", "5s"],
    ),
    ({"healthcheck": {"test": "a"}}, ["--sdnotify=healthy"]),
    ({"policy": "auto"}, ["--label", "io.containers.autoupdate=registry"]),
    ({"policy": "notify"}, ["--label", "zerotoil.updates=notify"]),
]


@pytest.mark.parametrize(("spec", "expected"), ARGUMENTS, ids=[f"{spec}"[:70] for spec, _ in ARGUMENTS])
def test_what_podman_is_given(spec: dict[str, Any], expected: list[str]) -> None:
    argv = command(web(**spec))
    assert any(argv[at : at + len(expected)] == expected for at in range(len(argv))), argv


LINES = [
    ({}, "Restart", ["no"]),
    ({"restart": "always"}, "Restart", ["always"]),
    ({"restart": "unless-stopped"}, "Restart", ["always"]),
    ({"restart": "on-failure"}, "Restart", ["on-failure"]),
    ({"restart": "always"}, "RestartSec", ["10"]),
    ({}, "TimeoutStartSec", ["300"]),
    ({"healthcheck": {"test": "a"}}, "TimeoutStartSec", ["300"]),  # 120 + 3 * (30 + 30)
    (
        {"healthcheck": {"test": "a", "interval": "5s", "timeout": "1s", "retries": 10, "start_period": "1m"}},
        "TimeoutStartSec",
        ["240"],
    ),
    ({"stop_grace_period": "30s"}, "TimeoutStopSec", []),
    ({"stop_grace_period": "2m"}, "TimeoutStopSec", ["150"]),
    ({"depends_on": ["other"], "other": {}}, "Wants", ["network-online.target", "app-other.service"]),
    ({"depends_on": {"other": {"condition": "service_started", "restart": True}}, "other": {}}, "PartOf", ["app-other.service"]),
    ({"volumes": ["/run/podman/podman.sock:/s"]}, "Requires", ["podman.socket", "app-network.service"]),
    ({}, "Environment", ["REGISTRY_AUTH_FILE=/var/mnt/data/zerotoil/containers/auth.json", "PODMAN_SYSTEMD_UNIT=%n"]),
]


@pytest.mark.parametrize(("spec", "key", "expected"), LINES, ids=[f"{key} {spec}"[:70] for spec, key, _ in LINES])
def test_what_systemd_is_told(spec: dict[str, Any], key: str, expected: list[str]) -> None:
    assert lines(web(**spec), key) == expected


def test_a_service_waits_for_those_it_depends_on() -> None:
    assert "app-other.service" in lines(web(depends_on=["other"], other={}), "After")


def test_a_failing_dependency_does_not_take_the_service_down_for_good() -> None:
    """With Requires=, what podman rolls back would come up again, and all that needs it would not."""
    assert "app-other.service" not in lines(web(depends_on=["other"], other={}), "Requires")


@pytest.mark.parametrize("policy", ["off", "notify"])
def test_only_auto_is_updated(policy: str) -> None:
    assert not any("autoupdate" in label for label in options(web(policy=policy), "--label"))


def test_auto_revert_is_podmans_own_rollback() -> None:
    made = web(policy="auto+revert", healthcheck={"test": "a"})
    assert "io.containers.autoupdate=registry" in options(made, "--label")
    assert "--sdnotify=healthy" in command(made)


def test_only_missing_folders_of_the_app_are_made() -> None:
    spec = {"volumes": ["./data:/a", "/srv/x:/b", "./known.conf:/c", "./known:/d", "../other:/e"]}
    compose = {"services": {"web": {"image": IMAGE, **spec}}}
    files = quadlets("app", compose, "lab/host", {}, digests={"known.conf": "1", "known/x": "2"})
    (line,) = lines(generated(files)["app-web.service"], "ExecStartPre")
    assert line.endswith(f" sh {FOLDER}/data")


def test_networks_and_volumes_nobody_uses_are_not_made() -> None:
    made = services(networks=["back"], top={"networks": {"back": {}, "idle": {}}, "volumes": {"idle": {}}})
    assert sorted(made) == ["app-back-network.service", "app-web.service"]


def test_a_network_as_declared() -> None:
    subnet = {"subnet": "192.0.2.0/24", "ip_range": "192.0.2.128/25", "gateway": "192.0.2.1"}
    network = {"internal": True, "enable_ipv6": "true", "driver": "bridge", "driver_opts": {"mtu": 1400}, "labels": {"a": "b"}}
    network["ipam"] = {"config": [subnet]}
    made = command(services(networks=["back"], top={"networks": {"back": network}})["app-back-network.service"])
    for expected in (
        ["--internal"], ["--ipv6"], ["--driver", "bridge"], ["--opt", "mtu=1400"], ["--label", "a=b"], ["app_back"],
        ["--subnet", "192.0.2.0/24", "--gateway", "192.0.2.1", "--ip-range", "192.0.2.128/25"],
    ):  # fmt: skip
        assert any(made[at : at + len(expected)] == expected for at in range(len(made))), expected


def test_a_volume_with_options() -> None:
    volume = {"driver": "local", "driver_opts": {"type": "nfs", "o": "addr=192.0.2.9,rw", "device": ":/export"}}
    made = command(services(volumes=["v:/v"], top={"volumes": {"v": volume}})["app-v-volume.service"])
    assert "app_v" in made and "type=nfs" in made and "device=:/export" in made and "o=addr=192.0.2.9,rw" in made
