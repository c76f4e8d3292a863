"""What may be declared of a host on a tailnet, and what nobody reads until it is needed."""

from typing import Any

import pytest

from tests.conftest import RIGHT, make_spec
from zerotoil.model.inventory import declare


def wrong(**keys: Any) -> str:
    (problem,) = declare({"matrix": [("host data", {**RIGHT, "tailnet_enabled": True, **keys})]}).problems
    return str(problem)


def test_a_host_is_called_as_it_is_and_the_key_is_not_read() -> None:
    tailnet = make_spec(tailnet_enabled=True, tailnet_auth_key="file:/nowhere").tailnet
    assert tailnet.hostname == "matrix" and tailnet.auth_key is not None
    assert (tailnet.accept_dns, tailnet.accept_routes, tailnet.forwards) == (True, False, False)
    assert make_spec(tailnet_hostname="home").tailnet.hostname == "home"
    assert not make_spec().tailnet.enabled


def test_what_is_the_same_is_kept_as_the_same() -> None:
    tailnet = make_spec(
        tailnet_tags=["tag:b", "tag:a", "tag:b"], tailnet_advertise_routes=["192.0.2.0/24", "10.0.0.0/8", "2001:DB8::/32"],
        tailnet_exit_node="NAS", tailnet_login_server="https://headscale.lan/", tailnet_serve={"8443": 81, 443: 8080},
    ).tailnet  # fmt: skip
    assert tailnet.tags == ["tag:a", "tag:b"]
    assert tailnet.advertise_routes == ["10.0.0.0/8", "192.0.2.0/24", "2001:db8::/32"] and tailnet.forwards
    assert (tailnet.exit_node, tailnet.login_server) == ("nas", "https://headscale.lan")
    assert tailnet.serve == {443: 8080, 8443: 81}


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"tailnet_tags": ["tag:1"]}, "'tag:1' is no tag; write for instance tag:lab"),
        ({"tailnet_advertise_routes": ["192.0.2.7"]}, "'192.0.2.7' is an address and no network; write 192.0.2.7/32"),
        ({"tailnet_advertise_routes": ["home"]}, "'home' is no network; write for instance 192.0.2.0/24"),
        ({"tailnet_advertise_routes": ["::/0"]}, "::/0 is everything; write tailnet_advertise_exit_node"),
        ({"tailnet_exit_node": "--ssh"}, "'--ssh' is neither a name nor an address"),
        ({"tailnet_login_server": "headscale.lan"}, "'headscale.lan' is no URL; write for instance https://headscale.lan"),
        ({"tailnet_serve": {"https": 8080}}, "'https' is no port; write for instance {\"443\": 8080}"),
        ({"tailnet_serve": {True: 8080}}, 'True is no port; write for instance {"443": 8080}'),
        ({"tailnet_serve": {"443": "8080"}}, "'8080' is no port; write for instance {\"443\": 8080}"),
        ({"tailnet_serve": {"443": 65536}}, '65536 is no port; write for instance {"443": 8080}'),
        ({"tailnet_hostname": "-x"}, "'-x' is no name on a tailnet"),
    ],
)  # fmt: skip
def test_what_tailscale_would_not_take(keys: dict[str, Any], words: str) -> None:
    said = wrong(**keys)
    assert said.startswith(f"matrix: {next(iter(keys))} ") and words in said


def test_two_hosts_are_not_called_alike() -> None:
    nics = {name: [{"network": "default", "mac": f"52:54:00:00:00:0{number}"}] for number, name in enumerate(("a", "b"))}
    more = {"tailnet_enabled": True, "tailnet_hostname": "home"}
    hosts = {name: [("host data", {**RIGHT, **more, "vm_nics": nics[name]})] for name in nics}
    (problem,) = declare(hosts).problems
    assert str(problem) == "b: tailnet_hostname (from host data): tailnet name home is already a's; every host needs its own"
