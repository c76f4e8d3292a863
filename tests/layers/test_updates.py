"""What is outdated and why: every verdict on one container, and what is read of a project and a guest."""

import json
import os
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.conftest import make_spec
from tests.layers.conftest import PretendLab
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers import Site
from zerotoil.layers.updates import HostUpdates, Running, Service, Update, Updater, judge, look
from zerotoil.layers.updates.as_json import as_text, schema
from zerotoil.layers.updates.declared import services
from zerotoil.layers.updates.found import exit_code
from zerotoil.layers.updates.look import read_running, watchtower
from zerotoil.model.image import ImageRef
from zerotoil.model.inventory import Problem
from zerotoil.render.registry import mirrored
from zerotoil.resources.guest import Guest

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
OLD, NEW, OTHER = (f"sha256:{digit * 64}" for digit in "123")
ENABLE = "com.centurylinklabs.watchtower.enable"


@dataclass(frozen=True)
class Stored:
    digest: str
    created: datetime | None = NOW - timedelta(days=30)
    version: str = ""


@dataclass
class Shelf:
    """What a registry has: repository -> tag -> image. What it does not have, it fails for as a registry does."""

    images: dict[str, dict[str, Stored]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def tags(self, ref: ImageRef) -> list[str]:
        self.asked.append(f"tags {ref.name}")
        return list(self._of(ref))

    def digest(self, ref: ImageRef) -> str:
        self.asked.append(f"digest {ref.familiar}")
        return self._one(ref).digest

    def image(self, ref: ImageRef) -> Stored:
        self.asked.append(f"image {ref.familiar}")
        return self._one(ref)

    def _of(self, ref: ImageRef) -> dict[str, Stored]:
        if ref.repository not in self.images:
            raise LabError(f"{ref.registry} cannot be reached (x)", "wait", code=Code.REGISTRY_UNREACHABLE)
        return self.images[ref.repository]

    def _one(self, ref: ImageRef) -> Stored:
        if ref.tag not in self._of(ref):
            raise LabError(f"{ref.registry} has no {ref.repository}:{ref.tag}", "check it", code=Code.REGISTRY_NO_IMAGE)
        return self._of(ref)[ref.tag]


WATCHTOWER = Updater(
    "Watchtower",
    True,
    "watchtower_enabled is False",
    timedelta(days=3),
    datetime(2026, 11, 27, 3, 30, tzinfo=UTC),
    (ENABLE, "true"),
)


def running(image: str = "postgres:17", digest: str = OLD, **more: Any) -> Running:
    digests = (f"postgres@{digest}",) if digest else ()
    return Running("db-1", image, "blog", "db", repo_digests=digests, **{"labels": {ENABLE: "true"}, **more})


def verdict(
    shelf: dict[str, Stored],
    image: str = "postgres:17",
    container: Running | None = None,
    updater: Updater = WATCHTOWER,
    **service: Any,
) -> Update:
    shelves = Shelf({"library/postgres": shelf})
    container = container or running(image)
    return judge(Service("blog", "db", image, **service), container, ask=shelves, updater=updater, now=NOW)


NEWER = {"17": Stored(NEW, version="17.6")}


def test_the_newest_is_left_in_peace_and_costs_one_question() -> None:
    shelf = Shelf({"library/postgres": {"17": Stored(OLD)}})
    found = judge(Service("blog", "db", "postgres:17"), running(version="17.5"), ask=shelf, updater=WATCHTOWER, now=NOW)
    assert (found.outdated, found.why, found.problem) == (False, (), None)
    assert str(found.running) == "17 (17.5)"
    assert shelf.asked == ["digest postgres:17"]


WHY = {
    "the next run of Watchtower is at 2026-11-27 03:30 UTC": {},
    "updates are off": {"updates": "off"},
    "updates are only notified: it is reported, not installed": {"updates": "notify"},
    "nothing updates it: watchtower_enabled is False": {"updater": Updater("Watchtower", False, "watchtower_enabled is False")},
    "younger than the cooldown until 2026-11-28 12:00 UTC": {"shelf": {"17": Stored(NEW, NOW - timedelta(days=1), "17.6")}},
    "of unknown age, so the cooldown holds it back": {"shelf": {"17": Stored(NEW, None, "17.6")}},
    f"its container has no label {ENABLE}=true: zerotoil apply": {"container": running(labels={})},
    "held at its digest since an update was rolled back": {"container": running(f"postgres:17@{OLD}")},
    "pinned by digest": {"image": f"postgres:17@{OLD}"},
    "the next run of podman is not known": {"updater": Updater("podman", True)},
}  # fmt: skip


@pytest.mark.parametrize("why", WHY)
def test_why_a_newer_digest_does_not_run_yet(why: str) -> None:
    found = verdict(**{"shelf": NEWER, **WHY[why]})
    assert found.why == (why,)
    assert found.outdated and str(found.newest) == "17 (17.6)" and found.problem is None


@pytest.mark.parametrize(
    ("created", "held"),
    [
        (NOW - timedelta(days=3, seconds=1), False),
        (NOW - timedelta(days=3), True),
        (NOW + timedelta(hours=1), False),  # as Watchtower does: else a wrong clock would hold it back for good
    ],
)
def test_the_cooldown_ends_as_watchtowers_does(created: datetime, held: bool) -> None:
    found = verdict({"17": Stored(NEW, created)})
    assert ("cooldown" in found.why[0]) is held


def test_auto_with_revert_waits_like_auto() -> None:
    assert verdict(NEWER, updates="auto+revert").why == verdict(NEWER, updates="auto").why


TAGS = {tag: Stored(f"sha256:{index:064}") for index, tag in enumerate(["17.2", "17.3", "17.4", "18.0", "17.5-alpine"])}


def tagged(policy: object, current: str = "17.2", shelf: dict[str, Stored] = TAGS, **more: Any) -> Update:
    return verdict(shelf, f"postgres:{current}", running(f"postgres:{current}", shelf[current].digest), tags=policy, **more)


def test_a_newer_tag_in_the_range_is_the_owners_to_take() -> None:
    found = tagged("17.x")
    assert (found.same_tag, found.newest and found.newest.tag) == (None, "17.4")
    assert found.why == ("a new tag is yours to take: zerotoil updates --write sets it in compose.yaml",)
    newest = tagged("*").newest
    assert newest and newest.tag == "18.0"
    assert not tagged("<17.3").outdated
    assert not tagged(None).outdated


def test_the_newest_tag_that_is_old_enough_is_proposed() -> None:
    shelf = TAGS | {"17.4": Stored(NEW, NOW - timedelta(days=1))}
    found = tagged("17.x", shelf=shelf)
    assert found.newest and found.newest.tag == "17.3"
    assert found.why[0] == "17.4 is younger than the cooldown until 2026-11-28 12:00 UTC"
    young = {tag: Stored(stored.digest, NOW) for tag, stored in TAGS.items()}
    assert not tagged("17.x", shelf=young).outdated


def test_a_tag_that_is_the_running_image_is_nothing_new() -> None:
    shelf = {"latest": Stored(OLD), "1.4.2": Stored(OLD), "1.4.1": Stored(OTHER)}
    assert not verdict(shelf, "postgres", running("postgres"), tags="1.x").outdated


def test_both_kinds_of_newer_are_told() -> None:
    found = verdict(TAGS | {"17.2": Stored(NEW)}, "postgres:17.2", tags="17.x")
    assert found.same_tag and found.same_tag.digest == NEW
    assert found.newer_tag and found.newer_tag.tag == "17.4"
    assert [why.partition(" ")[0] for why in found.why] == ["the", "a"]


def test_a_pin_by_digest_is_not_for_us_to_change() -> None:
    pinned, digest = f"postgres:17.2@{TAGS['17.2'].digest}", TAGS["17.2"].digest
    found = verdict(TAGS, pinned, running(pinned, digest), tags="17.x")
    assert found.why == ("a new tag is yours to take: change the digest with it",)
    only = verdict({}, f"postgres@{OLD}", running(f"postgres@{OLD}"))
    assert (only.outdated, only.why) == (False, ("pinned by digest, without a tag to follow",))


@pytest.mark.parametrize(
    ("image", "runs"),
    [
        ("postgres:18", "postgres:17"),
        ("postgres:17", "mariadb:17"),
        (f"postgres:17@{OLD}", f"postgres:17@{NEW}"),
        (f"postgres:17@{OLD}", "postgres:17"),
        ("postgres:17", OLD),
    ],
)
def test_what_is_declared_and_not_deployed_is_no_update(image: str, runs: str) -> None:
    found = verdict(NEWER, image, running(runs))
    assert not found.outdated
    assert found.why == (f"{image} is declared and not deployed yet: zerotoil apply",)


def test_a_mirror_is_no_other_image() -> None:
    registry = make_spec(registry_mirrors={"ghcr.io": "mirror.lan:5000/gh"}).registry
    shelf = Shelf({"a/b": {"1": Stored(OLD)}})
    found = judge(
        Service("blog", "db", "ghcr.io/a/b:1"), running("mirror.lan:5000/gh/a/b:1"), ask=shelf, updater=WATCHTOWER, now=NOW,
        deployed=lambda image: mirrored(image, registry),
    )  # fmt: skip
    assert (found.outdated, found.why) == (False, ())


def test_an_image_from_outside_the_airgap_is_a_problem_and_nobody_is_asked() -> None:
    registry, shelf = make_spec(registry_airgapped=True, registry_mirrors={"docker.io": "mirror.lan:5000"}).registry, Shelf()
    found = judge(
        Service("blog", "db", "ghcr.io/a/b:1"), running("ghcr.io/a/b:1"), ask=shelf, updater=WATCHTOWER, now=NOW,
        deployed=lambda image: mirrored(image, registry),
    )  # fmt: skip
    assert found.problem and found.problem.code is Code.IMAGE_OUTSIDE
    assert found.why[0].startswith("ghcr.io/a/b:1 comes from ghcr.io, and registry_airgapped allows mirrors only")
    assert shelf.asked == []


@pytest.mark.parametrize(
    ("container", "why"),
    [
        (running(digest=""), "its image came from no registry, so there is nothing to compare"),
        (running(state="exited"), "its container is exited"),
    ],
)
def test_other_states_of_a_container(container: Running, why: str) -> None:
    found = verdict({"17": Stored(OLD)}, container=container)
    assert (found.why, found.problem) == ((why,), None)


def test_a_service_without_a_container_is_told_and_asks_nothing() -> None:
    shelf = Shelf()
    found = judge(Service("blog", "db", "postgres:17", tags="*"), None, ask=shelf, updater=WATCHTOWER, now=NOW)
    assert (found.running, found.outdated, found.why) == (None, False, ("no container of it runs; zerotoil plan says more",))
    assert shelf.asked == []


def test_a_registry_that_cannot_be_asked_is_a_problem_of_its_row() -> None:
    found = judge(Service("blog", "db", "postgres:17"), running(), ask=Shelf(), updater=WATCHTOWER, now=NOW)
    assert found.problem and found.problem.code is Code.REGISTRY_UNREACHABLE
    assert found.why == ("could not be asked: docker.io cannot be reached (x)",)
    half = verdict({"17": Stored(NEW)}, tags=1.4)
    assert half.problem and half.problem.code is Code.TAG_RANGE
    assert half.same_tag, "what could be read is there all the same"
    range_only = verdict({"17": Stored(OLD)}, tags=1.4)
    assert range_only.why[0].startswith("blog/db: 1.4 is not in quotes")
    broken = verdict({}, "postgres:${TAG}")
    assert broken.problem and broken.problem.code is Code.IMAGE_REFERENCE


@pytest.mark.parametrize(
    ("updates", "others", "code"),
    [
        ([], 0, 0),
        ([Update("a", "b", "c", "d", "auto")], 0, 0),
        ([verdict(NEWER)], 0, 2),
        ([verdict(NEWER), verdict({})], 0, 1),
        ([verdict(NEWER)], 1, 1),
    ],
)
def test_exit_codes(updates: list[Update], others: int, code: int) -> None:
    assert exit_code([HostUpdates("matrix", containers=tuple(updates))], others) == code
    hosts = [HostUpdates("matrix", os=update, problems=(LabError("x", code=Code.NO_ADDRESS),)) for update in updates]
    wrong = [Problem("two", "vm_cpus", "lab.py", "bad", Code.WRONG_VALUE)]
    jsonschema.validate(json.loads(as_text(hosts, wrong)), schema(), cls=jsonschema.Draft202012Validator)


# What the project declares.

COMPOSE = """
x-zerotoil: {updates: notify, tags: {db: "17.x", web: "1.4"}}
services:
  db: {image: "docker.io/library/postgres:17.2", labels: ["zerotoil.updates=off", "a=1"]}
  web: {image: "docker.io/library/nginx:1", labels: {zerotoil.updates: "auto", b: "1"}}
  cache: {image: "docker.io/library/redis:7"}
"""


def test_what_the_apps_of_a_host_say_of_updates(tmp_path: Path) -> None:
    for name, text in {"blog": COMPOSE, "plain": "services: {a: {image: 'docker.io/library/x:1'}}", "broken": "a: ["}.items():
        (tmp_path / "apps" / name).mkdir(parents=True)
        (tmp_path / "apps" / name / "compose.yaml").write_text(text)
    spec = make_spec(apps=["blog", "plain", "broken", "not-there"], apps_updates="auto+revert")
    found, problems = services(Site(spec, tmp_path))
    assert [(service.app, service.name, service.image, service.updates, service.tags) for service in found] == [
        ("blog", "db", "docker.io/library/postgres:17.2", "off", "17.x"),
        ("blog", "web", "docker.io/library/nginx:1", "auto", "1.4"),
        ("blog", "cache", "docker.io/library/redis:7", "notify", None),
        ("plain", "a", "docker.io/library/x:1", "auto+revert", None),
    ]
    assert [problem.code for problem in problems] == [Code.COMPOSE_MALFORMED, Code.APP_MISSING]


# What a guest says. Docker and podman as their documentation shows what they print.

CONTAINER = {
    "Id": "c1", "Name": "/blog-db-1", "Image": f"sha256:{'a' * 64}", "State": {"Status": "running"},
    "Config": {"Image": "postgres:17", "Labels": {
        "com.docker.compose.project": "blog", "com.docker.compose.service": "db", "com.docker.compose.oneoff": "False",
        ENABLE: "true", "zerotoil.updates": "off", "org.opencontainers.image.version": "no",
    }},
}  # fmt: skip
IMAGE = {
    "Id": f"sha256:{'a' * 64}", "RepoDigests": [f"postgres@{OLD}"], "Created": "2026-08-18T10:00:00.123456789Z",
    "Config": {"Labels": {"org.opencontainers.image.version": "17.5"}},
}  # fmt: skip
ONE_OFF = {**CONTAINER, "Id": "c2", "Config": {"Image": "x", "Labels": {"com.docker.compose.oneoff": "True"}}}
BARE = {
    "Id": "c3",
    "Name": "/gone",
    "Image": f"sha256:{'b' * 64}",
    "State": {"Status": "exited"},
    "Config": {"Image": "b:1", "Labels": None},
}
PODMAN = {
    "Id": "p1", "Name": "blog-db", "Image": "a" * 64, "ImageName": "docker.io/library/postgres:17",
    "State": {"Status": "running"},
    "Config": {
        "Image": "docker.io/library/postgres:17",
        "Labels": {"zerotoil.app": "blog", "PODMAN_SYSTEMD_UNIT": "blog-db.service"},
    },
}  # fmt: skip
PODMAN_IMAGE = {**IMAGE, "Id": "a" * 64, "Labels": IMAGE["Config"]["Labels"], "Config": {}}  # type: ignore[index]
ENGINE = """#!/bin/sh
case "$1 $2" in
  "ps --all") cat "$SHELF/ids" ;;
  "container inspect") cat "$SHELF/containers" ;;
  "image inspect") cat "$SHELF/images"; exit 1 ;;
  *) exit 64 ;;
esac
"""


def guest(folder: Path, engine: str, containers: list[Any], images: list[Any]) -> Guest:
    """A guest whose engine prints this; one image cannot be found, as after `image rm --force`."""
    folder.joinpath("bin").mkdir()
    folder.joinpath("bin", engine).write_text(ENGINE)
    folder.joinpath("bin", engine).chmod(0o755)
    folder.joinpath("ids").write_text("".join(f"{container['Id']}\n" for container in containers))
    folder.joinpath("containers").write_text(json.dumps(containers))
    folder.joinpath("images").write_text(json.dumps(images))

    def shell(script: str) -> str:
        env = {"PATH": f"{folder}/bin:{os.environ['PATH']}", "SHELF": str(folder)}
        done = subprocess.run(["sh", "-s"], input=script, env=env, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return Guest("matrix", shell)


def test_the_containers_of_a_guest(tmp_path: Path) -> None:
    found = read_running(guest(tmp_path, "docker", [CONTAINER, ONE_OFF, BARE], [IMAGE]))
    assert found == [
        Running(
            "blog-db-1", "postgres:17", "blog", "db", "running", (f"postgres@{OLD}",),
            datetime(2026, 8, 18, 10, 0, 0, 123456, UTC), "17.5", {ENABLE: "true", "zerotoil.updates": "off"},
        ),
        Running("gone", "b:1", state="exited"),
    ]  # fmt: skip
    assert found[0].digests == {OLD}


def test_the_containers_of_a_guest_with_podman(tmp_path: Path) -> None:
    (found,) = read_running(guest(tmp_path, "podman", [PODMAN], [PODMAN_IMAGE]), "podman")
    assert (found.container, found.app, found.service, found.image) == ("blog-db", "blog", "db", "docker.io/library/postgres:17")
    assert (found.digests, found.version) == ({OLD}, "17.5")


def test_a_guest_without_containers(tmp_path: Path) -> None:
    assert read_running(guest(tmp_path, "docker", [], [])) == []


@pytest.mark.parametrize("answer", ["", "no json", "[5]", '[{"container": "x"}]', "{}x"])
def test_a_guest_that_answers_something_else(answer: str) -> None:
    with pytest.raises(LabError, match="answered no list of containers") as caught:
        read_running(Guest("matrix", lambda _script: answer))
    assert caught.value.code is Code.GUEST_COMMAND_FAILED


def test_watchtower_as_it_is_declared() -> None:
    updater = watchtower(make_spec(watchtower_timezone="Europe/London"), NOW)
    assert (updater.enabled, updater.cooldown, updater.label) == (True, timedelta(days=3), (ENABLE, "true"))
    assert updater.next_run and updater.next_run.isoformat() == "2026-11-27T03:30:00+00:00"
    bare = watchtower(make_spec(watchtower_cooldown=None, watchtower_label_enable=False, watchtower_enabled=False), NOW)
    assert (bare.enabled, bare.cooldown, bare.label, bare.next_run) == (False, None, None, None)


# A host as a whole.


def test_a_host_where_apps_and_others_run(lab: PretendLab, tmp_path: Path) -> None:
    (lab.folder / "apps/blog").mkdir(parents=True)
    (lab.folder / "apps/blog/compose.yaml").write_text(
        "services: {db: {image: 'docker.io/library/postgres:17'}, web: {image: 'docker.io/library/nginx:1'}}"
    )
    kept = {**BARE, "Name": "/watchtower", "State": {"Status": "running"}}
    kept["Config"] = {"Image": "nickfedor/watchtower:1.21.0", "Labels": {"zerotoil.owner": "home/matrix"}}
    mine = {**CONTAINER, "Name": "/mine", "Config": {"Image": "redis:7", "Labels": None}}
    by_id = {**CONTAINER, "Name": "/by-id", "Config": {"Image": IMAGE["Id"], "Labels": None}}
    site = lab.site(docker_enabled=True, watchtower_enabled=True, apps=["blog"])
    lab.apply(lab.site())
    other = {**IMAGE, "Id": BARE["Image"], "RepoDigests": [f"nickfedor/watchtower@{OLD}"]}
    folder = tmp_path / "guest"
    folder.mkdir()
    inside = guest(folder, "docker", [CONTAINER, kept, mine, by_id], [IMAGE, other])
    site.shell = inside.ask
    shelf = Shelf(
        {
            "library/postgres": {"17": Stored(NEW)}, "library/redis": {"7": Stored(OLD)},
            "nickfedor/watchtower": {"1.21.0": Stored(OLD), "1.22.3": Stored(NEW), "2.0.0": Stored(NEW)},
        }
    )  # fmt: skip
    found = look(site, shelf, NOW)
    rows = {row.container or row.service: row for row in found.containers}
    assert list(rows) == ["by-id", "mine", "watchtower", "blog-db-1", "web"]
    assert rows["blog-db-1"].outdated and rows["blog-db-1"].policy == "auto"
    assert rows["web"].why == ("no container of it runs; zerotoil plan says more",)
    assert (rows["mine"].outdated, rows["mine"].policy) == (False, "off")
    assert rows["watchtower"].newest and rows["watchtower"].newest.tag == "1.22.3"
    assert rows["watchtower"].why == ("a new tag is yours to take: set watchtower_image",)
    assert rows["by-id"].why == ("made from the id of an image, so there is no tag to follow",)
    assert not [row.problem for row in rows.values() if row.problem]
    assert [problem.code for problem in found.problems] == [Code.STREAM_UNREADABLE], "nobody serves the stream here"


def test_a_host_that_is_not_there_yet(lab: PretendLab) -> None:
    site = lab.site(docker_enabled=True)
    site.shell = None
    found = look(site, Shelf(), NOW)
    assert (found.os, found.containers) == (None, ())
    assert [problem.code for problem in found.problems] == [Code.NEEDS_ANOTHER_FIRST]


def test_a_host_without_docker_has_only_its_os(lab: PretendLab) -> None:
    found = look(lab.site(), Shelf(), NOW)
    assert (found.containers, found.problems) == ((), ())
