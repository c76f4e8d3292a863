"""Twenty apps on one host: how often the guest is asked, and that a converged one is left alone."""

import pytest

from tests.layers.conftest import PretendLab
from tests.resources.guest.conftest import LocalGuest, local  # noqa: F401
from zerotoil.layers import LAYERS, Site

COMPOSE = "services:\n  web:\n    image: registry.lan/web:1\n    volumes: [./data:/data:Z]\n"
APPS = [f"app{number}" for number in range(20)]


@pytest.fixture
def twenty(lab: PretendLab, local: LocalGuest) -> LocalGuest:  # noqa: F811
    for name in APPS:
        (lab.folder / "apps" / name).mkdir(parents=True)
        (lab.folder / "apps" / name / "compose.yaml").write_text(COMPOSE)
        local.unit(f"zerotoil-app@{name}.service")
    return local


def sites(lab: PretendLab, guest: LocalGuest) -> Site:
    """The host as a new run sees it."""
    site = lab.site(docker_enabled=True, apps=APPS)
    site.shell = guest.shell
    return site


def in_guest(site: Site) -> list[str]:
    return [str(change) for layer in LAYERS[3:] for resource in layer.resources(site) for change in resource.plan()]


def test_a_converged_host_is_read_once(lab: PretendLab, twenty: LocalGuest) -> None:
    site = sites(lab, twenty)
    for resource in site.app_resources():
        resource.apply()
    twenty.scripts.clear()
    assert in_guest(sites(lab, twenty)) == []
    assert len(twenty.scripts) == 1


def test_differences_of_all_apps_are_read_in_one_more_round_trip_each(lab: PretendLab, twenty: LocalGuest) -> None:
    site = sites(lab, twenty)
    for resource in site.app_resources():
        resource.apply()
    (twenty.data / "apps/app7/compose.yaml").write_text("by hand\n")
    twenty.scripts.clear()
    assert in_guest(sites(lab, twenty)) == ["app app7: file compose.yaml (5 lines differ)"]
    assert len(twenty.scripts) == 2
