"""References of images: Docker's own examples, and that nothing is lost in either direction."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerotoil.model.image import DOCKER_HUB, ImageRef, names_registry, registry_name

SHA = "sha256:" + "f" * 64
# As distribution/reference's own tests (reference_test.go, normalize_test.go) have them.
EXAMPLES = {
    "nginx": (DOCKER_HUB, "library/nginx", "", ""),
    "nginx:1.27-alpine": (DOCKER_HUB, "library/nginx", "1.27-alpine", ""),
    "docker.io/nginx": (DOCKER_HUB, "library/nginx", "", ""),
    "index.docker.io/library/nginx": (DOCKER_HUB, "library/nginx", "", ""),
    "dmcgowan/myapp": (DOCKER_HUB, "dmcgowan/myapp", "", ""),
    "test_com": (DOCKER_HUB, "library/test_com", "", ""),
    "test.com:tag": (DOCKER_HUB, "library/test.com", "tag", ""),
    "test.com:5000": (DOCKER_HUB, "library/test.com", "5000", ""),
    "test.com/repo:tag": ("test.com", "repo", "tag", ""),
    "test:5000/repo": ("test:5000", "repo", "", ""),
    f"test:5000/repo:tag@{SHA}": ("test:5000", "repo", "tag", SHA),
    f"test:5000/repo@{SHA}": ("test:5000", "repo", "", SHA),
    "lowercase:Uppercase": (DOCKER_HUB, "library/lowercase", "Uppercase", ""),
    "b.gcr.io/test.example.com/my-app:test.example.com": ("b.gcr.io", "test.example.com/my-app", "test.example.com", ""),
    "foo_bar.com:8080": (DOCKER_HUB, "library/foo_bar.com", "8080", ""),
    "foo/foo_bar.com:8080": (DOCKER_HUB, "foo/foo_bar.com", "8080", ""),
    "192.168.1.1:5000/repo:5050": ("192.168.1.1:5000", "repo", "5050", ""),
    "[2001:db8::1]:5000/repo:tag": ("[2001:db8::1]:5000", "repo", "tag", ""),
    "localhost/repo": ("localhost", "repo", "", ""),
    "Registry/repo": ("Registry", "repo", "", ""),
}


@pytest.mark.parametrize("text", EXAMPLES)
def test_it_is_read_as_docker_reads_it(text: str) -> None:
    ref = ImageRef.parse(text)
    assert (ref.registry, ref.repository, ref.tag, ref.digest) == EXAMPLES[text]


BROKEN = {
    "": "is no image; write for instance",
    ":justtag": "is no image",
    f"@{SHA}": "is no image",
    "repo@sha256:ffff": "is no digest; write sha256: and 64 hexadecimal digits",
    f"repo@md5:{'f' * 32}": "is no digest",
    "Uppercase:tag": "lower case only; write library/uppercase",
    "test:5000/Uppercase/lowercase:tag": "lower case only",
    "aa/asdf$$^/aa": "holds a variable",
    "app:${TAG}": "holds a variable; write the image itself",
    "aa//bb": "is no image",
    "[2001:db8::1]": "is no image",
    "[fe80::1%eth0]:5000/repo": "is no registry",
    "-x.com/repo": "is no registry",
    "repo:": "'' is no tag",
    "repo:-x": "'-x' is no tag",
    f"repo:{'x' * 129}": "is no tag",
    "repo:a b": "is no tag",
    "re po": "is no image",
    "nginx\n": "is no image",
    "a/" * 128 + "a": "has 257 characters, 255 are allowed",
    "f" * 64: "is the id of an image on one machine",
    SHA: "is the id of an image on one machine",
}  # fmt: skip


@pytest.mark.parametrize("text", BROKEN, ids=lambda text: text[:20] or "empty")
def test_what_is_no_reference_is_told_what_would_be_right(text: str) -> None:
    with pytest.raises(ValueError) as caught:
        ImageRef.parse(text)
    assert BROKEN[text] in str(caught.value)


part = st.from_regex(r"[a-z0-9]{1,5}(?:(?:[._]|__|-{1,2})[a-z0-9]{1,4}){0,2}", fullmatch=True)
registry = st.one_of(
    st.just(DOCKER_HUB),
    st.just("localhost"),
    st.from_regex(r"[a-z0-9]{1,8}(\.[a-z0-9]{1,6}){1,2}(:[0-9]{1,5})?", fullmatch=True),
    st.from_regex(r"[a-z]{1,8}:[0-9]{1,5}", fullmatch=True),
)
tag = st.text(string.ascii_letters + string.digits + "_", min_size=1, max_size=1).flatmap(
    lambda first: st.text(string.ascii_letters + string.digits + "_.-", max_size=20).map(lambda rest: first + rest)
)
digest = st.text("0123456789abcdef", min_size=64, max_size=64).map(lambda digits: f"sha256:{digits}")


@st.composite
def refs(draw: st.DrawFn) -> ImageRef:
    where = draw(registry)
    parts = draw(st.lists(part, min_size=2 if where == DOCKER_HUB else 1, max_size=3))
    return ImageRef(where, "/".join(parts), draw(st.just("") | tag), draw(st.just("") | digest))


@given(refs())
def test_the_full_and_the_short_form_mean_the_same(ref: ImageRef) -> None:
    assert ImageRef.parse(str(ref)) == ref
    assert ImageRef.parse(ref.familiar) == ref
    assert len(ref.familiar) <= len(str(ref))
    assert names_registry(str(ref))


@given(refs(), tag)
def test_another_tag_changes_only_the_tag(ref: ImageRef, other: str) -> None:
    moved = ref.at(tag=other)
    assert (moved.name, moved.tag, moved.digest) == (ref.name, other, "")


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    try:
        ref = ImageRef.parse(text)
    except ValueError as error:
        assert "is no" in str(error) or "variable" in str(error)
    else:
        assert ImageRef.parse(str(ref)) == ref


def test_the_short_form_is_dockers() -> None:
    assert ImageRef.parse("docker.io/library/nginx:1.27").familiar == "nginx:1.27"
    assert ImageRef.parse("docker.io/dmcgowan/myapp").familiar == "dmcgowan/myapp"
    assert ImageRef.parse("docker.io/library/distros/ubuntu").familiar == "library/distros/ubuntu"
    assert ImageRef.parse("ghcr.io/a/b:1").familiar == "ghcr.io/a/b:1"


def test_what_a_registry_is_asked_for() -> None:
    assert ImageRef.parse("nginx").reference == "latest"
    assert ImageRef.parse("nginx:1").reference == "1"
    assert ImageRef.parse(f"nginx:1@{SHA}").reference == SHA


def test_a_name_without_a_registry_is_seen() -> None:
    assert not names_registry("nginx:1.27")
    assert not names_registry("nickfedor/watchtower:1.21.0")
    assert not names_registry("localhost:5000")
    assert names_registry("docker.io/nginx")
    assert names_registry("localhost/nginx")


def test_names_of_registries() -> None:
    assert registry_name("index.docker.io") == registry_name("registry-1.docker.io") == registry_name("docker.io") == DOCKER_HUB
    assert registry_name("nas.lan:5000") == "nas.lan:5000"
    for wrong, said in {
        "https://ghcr.io": "without https://",
        "http://nas.lan:5000": "without http://",
        "ghcr.io/owner": "is no registry; write HOST or HOST:PORT",
        "nas": "write nas:5000",
        "": "is no registry",
    }.items():
        with pytest.raises(ValueError) as caught:
            registry_name(wrong)
        assert said in str(caught.value)
