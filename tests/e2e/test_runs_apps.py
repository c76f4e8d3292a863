"""Apps on a real VM: added, broken, updated, put back, told of, and taken off.

The guides are written by the same walk; each test takes one page's steps, in the order in which they stand.
"""

import pytest

from tests.e2e import guide_apps as guide
from tests.e2e.deployed import assert_unchanged, deploy
from tests.e2e.guide_plan_and_drift import ROOT, in_guest
from tests.e2e.project import Project

pytestmark = [pytest.mark.lab, pytest.mark.e2e, pytest.mark.long, pytest.mark.usefixtures("lab")]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, lab: None) -> Project:
    return Project(tmp_path_factory.mktemp("apps"))


@pytest.mark.parametrize("page", guide.PAGES)
def test_the_guide_shows_what_really_happens(project: Project, page: str) -> None:
    assert guide.PAGES[page](project) == (ROOT / "docs/guides" / page).read_text()


def test_an_app_taken_off_is_stopped_and_keeps_its_data(project: Project) -> None:
    project.declare(notify_sinks=["file:secrets/signal"])
    assert "app web" in project.plan() and "its data stays in /var/mnt/data/apps/web" in project.plan()
    project.deploy()
    assert project.answers() == ""
    assert "5" in in_guest("sudo cat /var/mnt/data/apps/web/data/starts")
    project.plan(code=0)
    assert "container watchtower" in deploy()  # as the demo declares it: without a sink
    assert_unchanged(deploy())
