"""Keys of the cluster's objects and of its upgrades: every wrong one with its whole line."""

from typing import Any

import pytest

from tests.conftest import RIGHT, make_spec
from zerotoil.model.inventory import declare
from zerotoil.model.secret import Secret

SERVER = {"k3s_role": "server"}
FOLLOW = {**SERVER, "upgrades_enabled": True, "upgrades_channel": "v1.36"}


def said(**data: Any) -> list[str]:
    return [problem.shown for problem in declare({"k3s1": [("host data", {**RIGHT, **data})]}).problems]


WRONG: list[tuple[dict[str, Any], str]] = [
    (
        {**SERVER, "upgrades_enabled": True},
        "upgrades_channel: neither upgrades_channel nor upgrades_version says where to; write one, for instance v1.36 [ZT104]",
    ),
    (
        {**FOLLOW, "upgrades_version": "v1.36.3+k3s1"},
        "upgrades_channel (from host data): upgrades_version wins over upgrades_channel, which would mean nothing; "
        "write one of them "
        "[ZT104]",
    ),
    (
        {**FOLLOW, "upgrades_days": []},
        "upgrades_days (from host data): no day is in it, so the window never opens; name one [ZT104]",
    ),
    (
        {**FOLLOW, "upgrades_start": "04:00", "upgrades_end": "04:00"},
        "upgrades_end (from host data): the window ends at 04:00, when it begins, so it never opens; write a later time [ZT104]",
    ),
    (
        {**FOLLOW, "upgrades_drain": {"delete_local_data": True, "delete_emptydir_data": True}},
        "upgrades_drain (from host data): delete_local_data: delete_local_data is the old name of delete_emptydir_data, and the "
        "controller refuses both; write one [ZT104]",
    ),
    (
        {**FOLLOW, "upgrades_start": "02:02"},
        "upgrades_start (from host data): the updates at 02:02 come less than 5 minutes after a snapshot has begun; "
        "let the window "
        "open 10 minutes to 12 hours after data_snapshot_schedule [ZT104]",
    ),
    (
        {"upgrades_enabled": True, "upgrades_channel": "v1.36"},
        "upgrades_enabled (from host data): this host runs no k3s (k3s_role); leave it False [ZT104]",
    ),
    (
        {**FOLLOW, "upgrades_channel": "1.36"},
        "upgrades_channel (from host data): '1.36' is no channel; write a minor release such as v1.36, stable, "
        "latest, or a URL [ZT103]",
    ),
    (
        {**FOLLOW, "upgrades_timezone": "Berlin"},
        "upgrades_timezone (from host data): 'Berlin' is no time zone; write for instance Europe/Berlin [ZT103]",
    ),
    (
        {**FOLLOW, "upgrades_start": "22:00", "upgrades_end": "02:00", "data_snapshot_schedule": "0 21 * * *"},
        "upgrades_end (from host data): it would end at 02:00, before it begins: the controller knows none past midnight; "
        "write at most 23:59 [ZT104]",
    ),
    (
        {**FOLLOW, "upgrades_start": "4"},
        "upgrades_start (from host data): '4' is no time of day; write for instance 03:00 [ZT103]",
    ),
    (
        {**FOLLOW, "upgrades_image": "rancher/k3s-upgrade:v1"},
        "upgrades_image (from host data): rancher/k3s-upgrade:v1 has a tag, which is the release here; leave it out [ZT103]",
    ),
    (
        {**SERVER, "cluster_values": {"password": "file:secret"}},
        "cluster_values (from host data): password is a secret, and manifests are no place for one; write it as "
        "cluster_secrets [ZT103]",
    ),
    (
        {**SERVER, "cluster_secrets": {"db": {"namespace": "web", "keys": {"password": "hunter2"}}}},
        "cluster_secrets (from host data): db.keys.password: a secret is not written in the inventory; write "
        '"file:PATH", "env:NAME" '
        "or Secret(…) [ZT103]",
    ),
    (
        {**SERVER, "cluster_storage_class": "local-path"},
        "cluster_storage_class (from host data): local-path is k3s's own; write another name, for instance data [ZT103]",
    ),
]


@pytest.mark.parametrize(("data", "line"), WRONG, ids=[line[:50] for _, line in WRONG])
def test_what_is_wrong_is_told_in_one_line(data: dict[str, Any], line: str) -> None:
    assert said(**data) == [f"k3s1: {line}"]


@pytest.mark.parametrize("more", [{}, {"upgrades_end": "23:59"}, {"upgrades_drain": {"force": True, "timeout": "5m"}}])
def test_what_is_right(more: dict[str, Any]) -> None:
    assert said(**FOLLOW, **more) == []


@pytest.mark.parametrize(
    ("channel", "minor", "moves"),
    [
        ("v1.36", (1, 36), False),
        ("stable", None, True),
        ("https://update.k3s.io/v1-release/channels/v1.36", (1, 36), False),
        ("https://mirror.lan/channels/v1.37/", (1, 37), False),
        ("https://update.k3s.io/v1-release/channels/latest", None, True),
    ],
)
def test_a_channel_by_its_url_is_judged_as_one_by_its_name(channel: str, minor: Any, moves: bool) -> None:
    upgrades = make_spec(**{**FOLLOW, "upgrades_channel": channel}).upgrades
    assert (upgrades.minor, upgrades.moves_on) == (minor, moves)
    assert "://" in upgrades.channel_url and upgrades.channel_url.endswith(channel)


def test_what_another_node_says_otherwise_would_mean_nothing() -> None:
    token = {"k3s_cluster": "house", "k3s_token": Secret("t"), "cluster_secrets": {"db": _secret("env:A")}}
    nic = {"vm_nics": [{"network": "default", "address": "192.0.2.21/24", "gateway": "192.0.2.1"}]}
    first = {**RIGHT, **token, **FOLLOW, **nic}
    alike = {**RIGHT, **token, "k3s_role": "agent"}
    assert declare({"one": [("host data", first)], "two": [("host data", alike)]}).problems == []
    otherwise = {**alike, "cluster_secrets": {"db": _secret("env:B")}}
    problems = declare({"one": [("host data", first)], "two": [("host data", otherwise)]}).problems
    assert [problem.shown for problem in problems if problem.key == "cluster_secrets"] == [
        "two: cluster_secrets (from host data): house goes by what its first server, one, declares; write it there, "
        "or for all alike "
        "[ZT180]"
    ]


def _secret(source: str) -> dict[str, Any]:
    return {"namespace": "web", "keys": {"password": source}}
