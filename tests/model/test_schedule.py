"""When a schedule comes round next."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerotoil.model.schedule import longest_gap, next_run
from zerotoil.model.units import Cron

NIGHT = "0 30 3 * * *"


@pytest.mark.parametrize(
    ("schedule", "zone", "after", "want"),
    [
        (NIGHT, "UTC", "2026-11-26T02:00:00+00:00", "2026-11-26T03:30:00+00:00"),
        (NIGHT, "UTC", "2026-11-26T03:30:00+00:00", "2026-11-27T03:30:00+00:00"),
        (NIGHT, "Europe/London", "2026-07-01T02:00:00+00:00", "2026-07-01T03:30:00+01:00"),
        ("30 15 */6 * * *", "UTC", "2026-11-26T06:15:30+00:00", "2026-11-26T12:15:30+00:00"),
        ("0 0 4 * * sun", "UTC", "2026-11-26T05:00:00+00:00", "2026-11-29T04:00:00+00:00"),
        ("0 0 4 * * 7", "UTC", "2026-11-26T05:00:00+00:00", "2026-11-29T04:00:00+00:00"),
        ("0 0 4 * * MON-FRI", "UTC", "2026-11-27T05:00:00+00:00", "2026-11-30T04:00:00+00:00"),
        ("0 0 4 1 jan ?", "UTC", "2026-11-27T05:00:00+00:00", "2027-01-01T04:00:00+00:00"),
        ("0 0 4 29 2 *", "UTC", "2026-11-27T05:00:00+00:00", "2028-02-29T04:00:00+00:00"),
        # Both days restricted: either will do.
        ("0 0 4 13 * fri", "UTC", "2026-11-06T05:00:00+00:00", "2026-11-13T04:00:00+00:00"),
        ("0 0 4 10 * fri", "UTC", "2026-11-06T05:00:00+00:00", "2026-11-10T04:00:00+00:00"),
        # The clocks go forward over 02:30, and back over it.
        ("0 30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00+00:00", "2026-03-30T02:30:00+02:00"),
        ("0 30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00+00:00", "2026-10-25T02:30:00+02:00"),
        ("0 0 4 30 2 *", "UTC", "2026-11-27T05:00:00+00:00", None),
        ("0 0 4 * * someday", "UTC", "2026-11-27T05:00:00+00:00", None),
        ("0 4 * * *", "UTC", "2026-11-27T05:00:00+00:00", None),
        ("0 0 25 * * *", "UTC", "2026-11-27T05:00:00+00:00", None),
        ("0 0/0 4 * * *", "UTC", "2026-11-27T05:00:00+00:00", None),
    ],
)
def test_next_run(schedule: str, zone: str, after: str, want: str | None) -> None:
    found = next_run(schedule, zone, datetime.fromisoformat(after))
    assert (found.isoformat() if found else None) == want


@given(
    st.integers(0, 23), st.integers(0, 59),
    st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)),
    st.sampled_from(["UTC", "Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]),
)  # fmt: skip
def test_a_nightly_run_is_at_its_hour_and_within_two_days(hour: int, minute: int, after: datetime, zone: str) -> None:
    moment = after.replace(tzinfo=UTC)
    found = next_run(f"0 {minute} {hour} * * *", zone, moment)
    assert found and (found.hour, found.minute, found.second) == (hour, minute, 0)
    assert found.tzinfo == ZoneInfo(zone)
    assert timedelta(0) < found.astimezone(UTC) - moment <= timedelta(hours=50)


@pytest.mark.parametrize(
    ("schedule", "gap"),
    [
        ("0 2 * * *", timedelta(days=1)),
        ("*/15 * * * *", timedelta(minutes=15)),
        ("0 8-18 * * *", timedelta(hours=14)),
        ("0 2 * * 1-5", timedelta(days=3)),
        ("0 3 * * 7", timedelta(days=7)),
        ("0 3 1 * *", timedelta(days=31)),
        ("0 3 13 * 5", timedelta(days=7)),  # either
        ("0 3 1 1 *", timedelta(days=366)),
        ("0 3 30 2 *", None),
    ],
)
def test_longest_gap(schedule: str, gap: timedelta | None) -> None:
    assert longest_gap(Cron.parse(schedule)) == gap
