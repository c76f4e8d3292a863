"""A tag is set by changing its own characters and no others, or not at all."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.render.compose_image import set_tag

FILE = """\
# My database, do not touch.
x-zerotoil: {updates: auto, tags: {db: "^17"}}
services:
  db:   # the one
    image:   postgres:17.2-alpine    # keep in step with the dump
    environment: { POSTGRES_DB: 'a: b' }
  web:
    ports: ["80:80"]
    image: "ghcr.io/me/web:v1.2.3"
  "odd name":
    image: 'nas.lan:5000/app'
"""


def test_only_the_tag_changes() -> None:
    assert set_tag(FILE, "db", "17.3-alpine") == FILE.replace("postgres:17.2-alpine", "postgres:17.3-alpine")
    assert set_tag(FILE, "web", "v1.3.0") == FILE.replace("web:v1.2.3", "web:v1.3.0")
    assert set_tag(FILE, "odd name", "2") == FILE.replace("5000/app'", "5000/app:2'")
    assert set_tag("services: {a: {image: nginx, x: 1}}", "a", "1.27") == "services: {a: {image: nginx:1.27, x: 1}}"


def test_line_ends_and_a_mark_at_the_start_stay() -> None:
    windows = "\ufeff" + FILE.replace("\n", "\r\n").replace("My", "Mäin 🐳")
    assert set_tag(windows, "db", "17.3-alpine") == windows.replace("17.2-alpine", "17.3-alpine")


REFUSED = {
    "services: {a: {build: .}}": "image is not written there",
    "services: {b: {image: x:1}}": "a is not written there",
    "services: [a]": "a is not written there",
    "other: 1": "services is not written there",
    "": "services is not written there",
    "services: {a: {image: x:1, image: x:2}}": "image is there more than once",
    "services: {a: {image: x:1": "the file is no YAML",
    "services: {a: {image: 'x:${TAG}'}}": "holds a variable",
    "services: {a: {image: [x]}}": "as plain text",
    "services: {a: {image: &i x:1}, b: {image: *i}}": "as plain text",
    "services: {b: {image: &i x:1}, a: {image: *i}}": "as plain text",
    "services:\n  a:\n    image: >-\n      x:1\n": "as plain text",
    "services:\n  a:\n    image:\n      x:1\n": "as plain text",
    "services:\n  a: &a\n    image: x:1\n  b: *a\n": "another part of the file would change",
    "services:\n  a: &a\n    image: x:1\n  b:\n    <<: *a\n": "another part of the file would change",
    "services:\n  b: &b\n    image: x:1\n  a:\n    <<: *b\n": "image is not written there",
    f"services: {{a: {{image: 'x:1@sha256:{'0' * 64}'}}}}": "is pinned by digest",
}  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_what_cannot_be_set_alone_is_refused(text: str) -> None:
    with pytest.raises(LabError) as caught:
        set_tag(text, "a", "2")
    assert caught.value.code is Code.IMAGE_LINE
    assert str(caught.value).startswith("the image of a cannot be set: ") and REFUSED[text] in str(caught.value)


name = st.from_regex(r"[a-z]{1,6}(/[a-z]{1,6})?", fullmatch=True)
tag = st.from_regex(r"[a-z0-9][a-z0-9.-]{0,8}", fullmatch=True)
comment = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\u2028\u2029\ufeff\ufffe\uffff"), max_size=12
)


@given(st.lists(st.tuples(name, tag, comment, st.sampled_from(["", "'", '"'])), min_size=1, max_size=4), st.data())
def test_any_file_keeps_all_else(services: list[tuple[str, str, str, str]], data: st.DataObject) -> None:
    lines = ["services:"]
    for index, (image, old, words, quote) in enumerate(services):
        lines += [f"  s{index}: # {words}", f"    image: {quote}{image}:{old}{quote} # {words}", "    x: 1"]
    text = "\n".join(lines) + "\n"
    which = data.draw(st.integers(0, len(services) - 1))
    new = data.draw(tag)
    changed = set_tag(text, f"s{which}", new)
    before, after = text.splitlines(), changed.splitlines()
    differing = [index for index, pair in enumerate(zip(before, after, strict=True)) if pair[0] != pair[1]]
    assert differing in ([], [2 + which * 3])
    assert yaml.safe_load(changed)["services"][f"s{which}"]["image"] == f"{services[which][0]}:{new}"
    assert set_tag(changed, f"s{which}", services[which][1]) == text
