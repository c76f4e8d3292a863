"""Sizes, durations and schedules as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerotoil.model.units import Cron, Lifetime, format_size, parse_seconds, parse_size


@pytest.mark.parametrize(
    ("text", "size"), [("4 GiB", 4 << 30), ("512MiB", 512 << 20), ("1.5 GiB", 3 << 29), ("500 GB", 500 * 10**9)]
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("4 Gib", "'4 Gib' is not a size"),
        ("", "'' is not a size"),
        ("-1 GiB", "'-1 GiB' is not a size"),
        ("0 GiB", "not a whole, positive number of bytes"),
        (4, '4 has no unit; write for instance "4 GiB"'),
    ],
)
def test_bad_sizes(text: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_size(text)


@given(st.integers(min_value=1, max_value=2**20), st.sampled_from(["KiB", "MiB", "GiB", "TiB"]))
def test_format_is_the_inverse_of_parse(number: int, unit: str) -> None:
    assert parse_size(format_size(parse_size(f"{number} {unit}"))) == parse_size(f"{number} {unit}")


def test_durations() -> None:
    assert parse_seconds("10 minutes") == 600
    assert Lifetime.parse("14 days") == Lifetime(14, "day")
    assert str(Lifetime.parse("1 week")) == "1 week"
    assert str(Lifetime.parse("2 weeks")) == "2 weeks"


@pytest.mark.parametrize("text", ["14", "0 days", "two days", "3 fortnights", ""])
def test_bad_durations(text: str) -> None:
    with pytest.raises(ValueError, match='is not a duration; write for instance "14 days"'):
        Lifetime.parse(text)


def test_schedule() -> None:
    assert str(Cron.parse("*/5 2-4 * 1,6 0")) == "*/5 2-4 * 1,6 0"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 2 * *", "is not a schedule of five fields"),
        ("60 2 * * *", "minute '60' is outside 0-59"),
        ("0 2 * * mon", "'mon' is not a weekday of a schedule"),
        ("*/0 * * * *", "is not a minute of a schedule"),
    ],
)
def test_bad_schedules(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Cron.parse(text)
