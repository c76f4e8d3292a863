"""Six-field schedules as systemd's OnCalendar, judged by systemd itself."""

import re
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.render.calendar import on_calendar

CASES = [
    ("0 30 3 * * *", "UTC", "*-*-* 03:30:00 UTC"),
    ("0 30 3 * * MON", "Europe/London", "Mon *-*-* 03:30:00 Europe/London"),
    ("0 0 4 1 */3 ?", "UTC", "*-01,04,07,10-01 04:00:00 UTC"),
    ("0 */20 1-3 * * 1-5", "UTC", "Mon,Tue,Wed,Thu,Fri *-*-* 01,02,03:00,20,40:00 UTC"),
    ("0 0 5 * jan,jul sun", "UTC", "Sun *-01,07-* 05:00:00 UTC"),
    ("0 0 5 * * 6,7", "UTC", "Sat,Sun *-*-* 05:00:00 UTC"),
    ("0 0 5 * * 5-7", "UTC", "Fri,Sat,Sun *-*-* 05:00:00 UTC"),
    ("0 0 5 * * 1/2", "UTC", "Mon,Wed,Fri *-*-* 05:00:00 UTC"),
    ("15 10/25 * * * *", "UTC", "*-*-* *:10,35:15 UTC"),
    ("0 0 0 29 2 *", "UTC", "*-02-29 00:00:00 UTC"),
]
WRONG = [
    ("30 3 * * *", "it has 5 fields, not six"),
    ("0 30 3 1 * MON", "day and weekday together mean either in cron, and both in systemd"),
    ("0 30 3 */2 * 1", "day and weekday together"),
    ("0 30 mon * * *", "hour 'mon' cannot be read"),
    ("0 30 3 30 2 *", "no such month has a day 30"),
    ("0 30 3 31 4,6,9 *", "no such month has a day 31"),
    ("0 60 3 * * *", "minute '60' is outside 0-59"),
    ("0 30 5-3 * * *", "hour '5-3' is outside 0-23, or runs backwards"),
    ("0 30 3 L * *", "day of month 'L' cannot be read"),
    ("0 30 3 * * 2#1", "weekday '2#1' cannot be read"),
    ("0 */0 3 * * *", "minute '*/0' cannot be read"),
    ("@daily", "it has 1 fields"),
]


def systemd(expression: str) -> str:
    """What systemd makes of it; empty when it does not understand."""
    done = subprocess.run(["systemd-analyze", "calendar", expression], capture_output=True, text=True, timeout=20, check=False)
    return done.stdout if done.returncode == 0 else ""


needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")


@pytest.mark.parametrize(("schedule", "zone", "expression"), CASES, ids=[case[0] for case in CASES])
def test_schedules(schedule: str, zone: str, expression: str) -> None:
    assert on_calendar(schedule, zone) == expression


@needs_systemd
@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_systemd_knows_when_the_next_one_is(case: tuple[str, str, str]) -> None:
    assert re.search(r"Next elapse: \w{3} \d{4}-", systemd(case[2]))


@pytest.mark.parametrize(("schedule", "why"), WRONG, ids=[case[0] for case in WRONG])
def test_what_systemd_cannot_say_is_refused(schedule: str, why: str) -> None:
    with pytest.raises(LabError, match=re.escape(why)) as caught:
        on_calendar(schedule, "UTC")
    assert caught.value.code is Code.SCHEDULE_CANNOT_SAY


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(LabError, match=r"'Europe/Londn' is not a time zone: write for instance Europe/London"):
        on_calendar("0 30 3 * * *", "Europe/Londn")


def field(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    several = st.lists(number, min_size=1, max_size=3).map(lambda found: ",".join(map(str, found)))
    span = st.tuples(number, number).map(lambda ends: f"{min(ends)}-{max(ends)}")
    return (
        st.just("*")
        | several
        | span
        | st.integers(1, 9).map(lambda step: f"*/{step}")
        | st.tuples(span, number).map(lambda pair: f"{pair[0]}/{max(pair[1], 1)}")
    )


@needs_systemd
@given(field(0, 59), field(0, 59), field(0, 23), field(1, 28), field(1, 12))
@settings(max_examples=40, deadline=None)
def test_systemd_understands_every_schedule_that_is_taken(second: str, minute: str, hour: str, day: str, month: str) -> None:
    expression = on_calendar(f"{second} {minute} {hour} {day} {month} *", "UTC")
    assert re.search(r"Next elapse: \w{3} \d{4}-", systemd(expression)), expression
