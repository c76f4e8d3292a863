"""Which tag follows which, and which ranges allow what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerotoil.model.tags import TagPolicy, Version, allowed, newest

# As the semver ranges of npm are documented, in our words: (range, allowed, not allowed).
RANGES = [
    ("~1.4", "1.4.0 1.4 1.4.99", "1.3.9 1.5 1.5.0 2"),
    ("~1.4.2", "1.4.2 1.4.3", "1.4.1 1.5.0"),
    ("~1", "1 1.0.0 1.9.9", "0.9 2.0"),
    ("~0.2.3", "0.2.3 0.2.9", "0.2.2 0.3"),
    ("^2", "2 2.0.1 2.99.0", "1.9.9 3 3.0.0"),
    ("^1.2.3", "1.2.3 1.9.9", "1.2.2 2.0.0"),
    ("^0.2.3", "0.2.3 0.2.4", "0.2.2 0.3.0 1"),
    ("^0.0.3", "0.0.3", "0.0.2 0.0.4"),
    ("^0.0", "0.0.1 0.0", "0.1 1"),
    ("^0", "0.0.1 0.9", "1.0"),
    (">=1.2 <2", "1.2 1.2.0 1.99", "1.1.9 2 2.0.0"),
    (">=1.2, <2", "1.2 1.99", "2"),
    (">= 1.2   < 2", "1.2 1.99", "2"),
    (">1.2", "1.3 2", "1.2 1.2.9"),
    (">1.2.3", "1.2.4 2", "1.2.3"),
    ("<=1.2", "1.2.9 0", "1.3"),
    ("<1.2", "1.1.9", "1.2 1.2.0"),
    ("1.x", "1 1.9.9", "2 0.9"),
    ("1.2.*", "1.2.0 1.2.9", "1.3"),
    ("1", "1.0 1.9", "2"),
    ("=1.2.3", "1.2.3", "1.2.4 1.2.2"),
    ("v1.2", "1.2.9", "1.3"),
    ("*", "0 1.2 99", ""),
    ("1.4 || 1.6 || >=3", "1.4.2 1.6.0 3 4", "1.5 2"),
    ("2024.x", "2024.1 2024.12.1", "2025.1 1.0"),
]


@pytest.mark.parametrize(("text", "inside", "outside"), RANGES, ids=[text for text, _, _ in RANGES])
def test_ranges(text: str, inside: str, outside: str) -> None:
    policy = TagPolicy.parse(text)

    def allows(version: str) -> bool:
        return policy.allows(tuple(map(int, version.split("."))))

    assert [version for version in inside.split() if not allows(version)] == []
    assert [version for version in outside.split() if allows(version)] == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (1.4, "is not in quotes, so YAML takes it for a number"),
        (None, "is not in quotes"),
        ("", "is no range of tags; write for instance"),
        ("||", "is no range of tags"),
        ("~", "is no range of tags"),
        ("1.2 ~", "is no range of tags"),
        (">= <2", "is no range of tags"),
        ("latest", "'latest' is no version"),
        ("1.2-alpine", "'1.2-alpine' is no version"),
        ("1.2.3.4.5.6.7", "is no version"),
        ("x.1", "'x.1' is no version"),
        (">*", "nothing is > any version"),
        ("01.2", "'01.2' is no version"),
        ("1 - 2", "'-' is no version"),
    ],
)
def test_what_is_no_range_is_told_what_would_be_right(wrong: object, said: str) -> None:
    with pytest.raises(ValueError) as caught:
        TagPolicy.parse(wrong)
    assert said in str(caught.value)
    assert '"~1.4"' in str(caught.value)


HUB = "latest 16 16-alpine 17 17-alpine 17-bookworm 18 18-alpine 18rc1 18beta2 18-rc1-alpine 17.2 17.2-alpine 17.10 17.10-alpine"


@pytest.mark.parametrize(
    ("policy", "current", "want"),
    [
        (">=16", "17-alpine", "18-alpine"),
        ("<18", "16-alpine", "17-alpine"),
        ("17.x", "17.2-alpine", "17.10-alpine"),
        ("17.x", "17.2", "17.10"),
        (">=16", "18", None),
        ("^17", "17", None),
        ("*", "17-bookworm", None),
        ("*", "17-bullseye", None),
    ],
)
def test_the_variant_and_the_precision_stay(policy: str, current: str, want: str | None) -> None:
    assert newest(HUB.split(), TagPolicy.parse(policy), current) == want


@pytest.mark.parametrize(
    ("tags", "policy", "current", "want"),
    [
        ("v1.2.3 v1.3.0 1.4.0 v1.4.0-rc.1", "^1", "v1.2.3", "v1.3.0"),
        ("1.4.0 1.5.0-rc1 1.5.0-beta 1.5.0-alpha.3 1.5.0rc2", "*", "1.4.0", None),
        ("1.4.0 1.5.0 1.5.0-rc1", "*", "1.5.0-rc1", "1.5.0"),
        ("1.4.0 1.6.0-rc1", "*", "1.5.0-rc1", None),
        ("1.2.0-ls44 1.2.0-ls45 1.2.0", "*", "1.2.0-ls44", "1.2.0-ls45"),
        ("1.2.0-ls45 1.3.0-ls2", "*", "1.2.0-ls45", "1.3.0-ls2"),
        ("2.1.0-debian-12-r3 2.1.0-debian-12-r10 2.2.0-debian-13-r1", "*", "2.1.0-debian-12-r3", "2.1.0-debian-12-r10"),
        ("1.27.0-alpine3.20 1.27.1-alpine3.21 1.27.1-alpine3.20", "*", "1.27.0-alpine3.20", "1.27.1-alpine3.20"),
        ("1.9 1.10", "1.x", "1.9", "1.10"),
        ("1.9.0 1.10.0 1.2.0", "~1", "1.2.0", "1.10.0"),
        ("1.4.0 1.3.0", "<1.4", "1.4.0", None),
        ("latest 1 1.4 1.4.2 v1.4.2 1.4.2-alpine", "1.x", "latest", "1.4.2"),
        ("latest stable", "1.x", "latest", None),
        ("3.2.1.0 3.2.1.5 3.2.2.0", "3.2.1", "3.2.1.0", "3.2.1.5"),
        ("2024.01.05 2024.11.20", "2024.x", "2024.01.05", "2024.11.20"),
        ("8f14e45fce 1234567 1.0.0 1.1.0", "*", "1.0.0", "1.1.0"),
    ],
)  # fmt: skip
def test_what_follows_a_tag(tags: str, policy: str, current: str, want: str | None) -> None:
    assert newest(tags.split(), TagPolicy.parse(policy), current) == want


def test_all_that_is_allowed_comes_newest_first() -> None:
    tags = ["1.2.0", "1.10.0", "1.9.1", "1.9.0", "2.0.0", "1.11.0-rc1"]
    assert allowed(tags, TagPolicy.parse("^1"), "1.2.0") == ["1.10.0", "1.9.1", "1.9.0"]


version = st.lists(st.integers(0, 30), min_size=1, max_size=4).map(tuple)
variant = st.sampled_from(["", "-alpine", "-bookworm-slim", "-rc1", "-ls3", "_x"])
tag = st.builds(
    lambda prefix, numbers, variant: f"{prefix}{'.'.join(map(str, numbers))}{variant}",
    st.sampled_from(["", "v"]), version, variant,
)  # fmt: skip


@given(st.lists(tag, max_size=20), tag, st.sampled_from([text for text, _, _ in RANGES]))
def test_a_proposal_is_newer_allowed_and_of_the_same_kind(tags: list[str], current: str, text: str) -> None:
    policy = TagPolicy.parse(text)
    now = Version.of(current)
    assert now
    proposed = [Version.of(found) for found in allowed(tags, policy, current)]
    for found in proposed:
        assert found and not found.is_prerelease and policy.allows(found.numbers)
        assert (found.prefix, len(found.numbers)) == (now.prefix, len(now.numbers))
        assert found.variant == now.variant or now.is_prerelease
        assert found.order > now.order or now.is_prerelease
    assert [found.order for found in proposed if found] == sorted((found.order for found in proposed if found), reverse=True)


@given(tag)
def test_what_was_proposed_is_not_proposed_again(current: str) -> None:
    assert newest([current], TagPolicy.parse("*"), current) is None


@given(version, version)
def test_every_version_lies_below_at_or_above(one: tuple[int, ...], other: tuple[int, ...]) -> None:
    written = ".".join(map(str, other))
    held = [TagPolicy.parse(f"{operator}{written}").allows(one) for operator in ("<", "=", ">")]
    assert sum(held) == 1


@given(st.text(max_size=30))
def test_any_tag_is_read_or_left_alone(text: str) -> None:
    found = Version.of(text)
    assert found is None or text.lstrip("v")[0].isdigit()
