"""The owner's cluster/ folder: which files a cluster has, templates, and everything that is wrong at once."""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import make_spec
from zerotoil.error_codes import Code
from zerotoil.layers.cluster import judge, resources
from zerotoil.model.secret import Secret
from zerotoil.model.spec import HostSpec
from zerotoil.resources.guest import Guest


def spec(**more: Any) -> HostSpec:
    return make_spec("k3s1", **{"k3s_role": "server", "k3s_cluster": "house", **more})


def put(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / "cluster" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def config(name: str) -> str:
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: web}}\n"


def titles(root: Path, **more: Any) -> list[str]:
    judged = judge(spec(**more), root)
    assert judged.problems == ()
    return [one.title for one in judged.objects]


def problems(root: Path, **more: Any) -> list[str]:
    return [problem.shown for problem in judge(spec(**more), root).problems]


def test_a_project_without_the_folder_has_no_objects(tmp_path: Path) -> None:
    assert titles(tmp_path) == []


def test_a_cluster_has_its_own_folder_and_what_is_for_all(tmp_path: Path) -> None:
    put(
        tmp_path,
        **{
            "top.yaml": config("top"),
            "all/deep/er.yml": config("all"),
            "house/web/a.yaml": config("own"),
            "other/b.yaml": config("theirs"),
            "house/.hidden/c.yaml": config("hidden"),
            "house/old.yaml~": config("old"),
            "house/README.md": "# words",
        },
    )
    assert titles(tmp_path) == ["ConfigMap web/all", "ConfigMap web/own", "ConfigMap web/top"]


def test_what_others_name_comes_first_and_all_have_the_label(tmp_path: Path) -> None:
    put(tmp_path, **{"a.yaml": f"{config('a')}---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: web}}\n"})
    judged = judge(spec(), tmp_path)
    assert [(one.title, one.where) for one in judged.objects] == [
        ("Namespace web", "cluster/a.yaml:5"),
        ("ConfigMap web/a", "cluster/a.yaml:1"),
    ]
    assert {one.body["metadata"]["labels"]["zerotoil/managed"] for one in judged.objects} == {"home.house"}


def test_templates_know_lab_cluster_host_and_the_declared_values(tmp_path: Path) -> None:
    put(tmp_path, **{"a.yaml.j2": config("{{ lab }}-{{ cluster }}-{{ host }}-{{ domain }}")})
    assert titles(tmp_path, cluster_values={"domain": "lan"}) == ["ConfigMap web/home-house-k3s1-lan"]


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    put(
        tmp_path,
        **{
            "a.yaml": config("a"),
            "b.yaml": config("a"),
            "c.yaml.j2": config("{{ nosuch }}"),
            "d.yaml": "a: 1\na: 2\n",
            "e.yaml.j2": "{% if %}",
            "f.yaml.j2": "{{ lab + 1 }}",
        },
    )
    template = 'name the value in cluster_values = {"NAME": …}'
    assert problems(tmp_path) == [
        f"cluster/c.yaml.j2: the template cannot be filled in ('nosuch' is undefined): {template} [{Code.MANIFEST_FILE}]",
        f"cluster/e.yaml.j2:1: the template cannot be filled in (Expected an expression, got 'end of statement "
        f"block'): {template} "
        f"[{Code.MANIFEST_FILE}]",
        f"cluster/f.yaml.j2: the template cannot be filled in (TypeError in one of its expressions): {template} "
        f"[{Code.MANIFEST_FILE}]",
        f"cluster/d.yaml:2: a stands twice, first in line 1 [{Code.MANIFEST_MALFORMED}]",
        f"cluster/b.yaml:1: ConfigMap web/a stands in cluster/a.yaml:1 too; leave one of them out [{Code.MANIFEST_TWICE}]",
    ]
    with pytest.raises(Exception, match="cluster/d.yaml:2"):
        resources(spec(), judge(spec(), tmp_path), Guest.new_machine("k3s1"))


def test_files_that_cannot_be_taken(tmp_path: Path) -> None:
    put(tmp_path, **{"a.yaml": config("a")})
    (tmp_path / "cluster/b.yaml").symlink_to("a.yaml")
    assert problems(tmp_path) == [f"cluster/b.yaml is a link: put the file itself there [{Code.MANIFEST_FILE}]"]
    (tmp_path / "cluster/b.yaml").unlink()
    (tmp_path / "cluster/b.yaml").write_bytes(b"\xff\xfe")
    assert problems(tmp_path) == [f"cluster/b.yaml cannot be read: write it as UTF-8, readable by you [{Code.MANIFEST_FILE}]"]


def deletes(root: Path) -> bool:
    (made,) = resources(spec(), judge(spec(), root), Guest.new_machine("k3s1"))
    return made.may_delete


def test_only_manifests_that_were_seen_take_others_away(tmp_path: Path) -> None:
    assert not deletes(tmp_path)
    put(tmp_path, **{"other/a.yaml": config("a")})
    assert not deletes(tmp_path)
    put(tmp_path, **{"none.yaml": "# nothing any more\n"})
    assert deletes(tmp_path) and titles(tmp_path) == []


def test_a_folder_that_is_a_link_is_followed_or_told(tmp_path: Path) -> None:
    put(tmp_path / "elsewhere", **{"a.yaml": config("a"), "house/b.yaml": config("b")})
    (tmp_path / "cluster").symlink_to("elsewhere/cluster")
    assert titles(tmp_path) == ["ConfigMap web/a", "ConfigMap web/b"]
    (tmp_path / "elsewhere/cluster/house/more").symlink_to("..")
    assert problems(tmp_path) == [f"cluster/house/more is a link: put the file itself there [{Code.MANIFEST_FILE}]"]
    (tmp_path / "elsewhere").rename(tmp_path / "gone")
    assert problems(tmp_path) == [
        f"cluster is a link to elsewhere/cluster, which is not there: bring it back, or take the link away [{Code.MANIFEST_FILE}]"
    ]
    (tmp_path / "cluster").unlink()
    put(tmp_path, **{"a.yaml": config("a")})
    (tmp_path / "cluster/house").symlink_to("../nowhere")
    said = "is a link: put the file itself there"
    assert problems(tmp_path) == [f"cluster/house {said} [{Code.MANIFEST_FILE}]"]


def test_a_folder_that_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, **{"a.yaml": config("a"), "house/deep/b.yaml": config("b")})
    scandir = os.scandir

    def denied(path: Any) -> Any:
        if str(path).endswith("deep"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", denied)
    assert problems(tmp_path) == [
        f"cluster/house/deep cannot be read (Permission denied): make it readable by you [{Code.MANIFEST_FILE}]"
    ]


def test_a_secret_comes_by_its_key_and_stays_out_of_the_project(tmp_path: Path) -> None:
    secrets = {"db": {"namespace": "web", "keys": {"password": Secret("hunter2")}}}
    (one,) = judge(spec(cluster_secrets=secrets), tmp_path).objects
    assert (one.title, one.where, one.body["data"]) == ("Secret web/db", "cluster_secrets[db]", {"password": "aHVudGVyMg=="})
    assert "aHVudGVyMg" not in one.shown()
    (offline,) = judge(spec(cluster_secrets=secrets), tmp_path, offline=True).objects
    assert "aHVudGVyMg==" not in str(offline)


def test_a_secret_that_cannot_be_read_is_named_and_hides_nothing_else(tmp_path: Path) -> None:
    put(tmp_path, **{"d.yaml": "a: 1\na: 2\n"})
    secrets = {"db": {"namespace": "web", "keys": {"password": "env:ZT_NO_SUCH_VARIABLE"}}}
    assert problems(tmp_path, cluster_secrets=secrets) == [
        f"the secret env:ZT_NO_SUCH_VARIABLE is empty or missing: put the secret there [{Code.SECRET_UNREADABLE}]",
        f"cluster/d.yaml:2: a stands twice, first in line 1 [{Code.MANIFEST_MALFORMED}]",
    ]


def test_a_storage_class_keeps_its_paths(tmp_path: Path) -> None:
    (one,) = judge(spec(cluster_storage_class="data"), tmp_path).objects
    assert one.body["parameters"] == {"pathPattern": "{{ .PVC.Namespace }}/{{ .PVC.Name }}"}
    assert one.body["reclaimPolicy"] == "Retain"


def test_an_object_of_a_file_and_of_a_key_is_declared_twice(tmp_path: Path) -> None:
    put(tmp_path, **{"s.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: web}\n"})
    secrets = {"db": {"namespace": "web", "keys": {"password": Secret("x")}}}
    assert problems(tmp_path, cluster_secrets=secrets) == [
        f"cluster_secrets[db]:1: Secret web/db stands in cluster/s.yaml:1 too; leave one of them out [{Code.MANIFEST_TWICE}]"
    ]
