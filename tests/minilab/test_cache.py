"""The build cache: same inputs, one build; nothing half built is ever seen."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from zerotoil.minilab import layout
from zerotoil.minilab.cache import cached, key


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(layout, "CACHE", tmp_path / "cache")
    return tmp_path / "cache"


def test_same_inputs_are_built_once():
    built = []

    def build(path: Path) -> None:
        built.append(path)
        path.write_text("content")

    first = cached("thing", [b"a"], build, suffix=".txt")
    assert cached("thing", [b"a"], build, suffix=".txt") == first
    assert first.read_text() == "content" and first.name.startswith("thing-") and first.suffix == ".txt"
    assert len(built) == 1 and built[0].parent == first.parent and built[0] != first


def test_every_input_counts(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "script").write_text("one")
    before = key([folder])
    (folder / "script").chmod(0o755)
    executable = key([folder])
    (folder / "script").write_text("two")
    changed = key([folder])
    (folder / "script").rename(folder / "renamed")
    assert len({before, executable, changed, key([folder])}) == 4
    assert key([b"ab", b"c"]) != key([b"a", b"bc"])


def test_a_missing_input_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        key([tmp_path / "absent"])


def test_a_failed_build_leaves_nothing(cache):
    def build(path: Path) -> None:
        path.write_text("half")
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        cached("thing", [b"a"], build)
    assert [p.name for p in cache.iterdir() if not p.name.endswith(".lock")] == []


def test_a_killed_build_is_not_taken_for_finished(cache):
    program = textwrap.dedent("""
        import os, signal, sys
        from pathlib import Path
        from zerotoil.minilab.cache import cached
        def build(path):
            path.mkdir()
            (path / "half").write_text("half")
            os.kill(os.getpid(), signal.SIGKILL)
        cached("thing", [b"a"], build)
    """)
    environment = os.environ | {"ZEROTOIL_CACHE": str(cache)}
    killed = subprocess.run([sys.executable, "-c", program], env=environment, timeout=60, check=False)
    assert killed.returncode == -9
    assert any(cache.rglob("half"))
    whole = cached("thing", [b"a"], lambda path: path.mkdir())
    assert whole.is_dir() and not any(cache.rglob("half"))


def test_two_processes_build_once(cache, tmp_path):
    program = textwrap.dedent("""
        import sys, time
        from zerotoil.minilab.cache import cached
        def build(path):
            with open(sys.argv[1], "a") as log:
                log.write("built\\n")
            time.sleep(0.3)
            path.write_text("x")
        print(cached("thing", [b"a"], build))
    """)
    environment = os.environ | {"ZEROTOIL_CACHE": str(cache)}
    command = [sys.executable, "-c", program, str(tmp_path / "log")]
    both = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = {process.communicate(timeout=60)[0] for process in both}
    assert len(said) == 1 and (tmp_path / "log").read_text() == "built\n"
