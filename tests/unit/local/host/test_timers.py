"""Schedules are read as Azure reads them, and the state file survives anything."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from local.host.timers import TimerState, parse_schedule

UTC_ZONE = ZoneInfo("UTC")
START = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)  # a Thursday


@pytest.mark.parametrize(
    ("schedule", "following"),
    [
        ("0 */5 * * * *", datetime(2026, 1, 1, 12, 5, tzinfo=UTC)),
        ("*/10 * * * * *", datetime(2026, 1, 1, 12, 0, 10, tzinfo=UTC)),
        ("30 9 * * *", datetime(2026, 1, 2, 9, 30, tzinfo=UTC)),
        ("0 30 9 * * Mon-Fri", datetime(2026, 1, 2, 9, 30, tzinfo=UTC)),
        ("0 0 0 13 * 5", datetime(2026, 2, 13, tzinfo=UTC)),  # Friday the 13th: both must match
        ("00:30:00", datetime(2026, 1, 1, 12, 30, tzinfo=UTC)),
        ("1.00:00:00", datetime(2026, 1, 2, 12, 0, tzinfo=UTC)),
    ],
)
def test_schedules(schedule: str, following: datetime) -> None:
    assert parse_schedule(schedule, UTC_ZONE).next_after(START) == following


def test_a_schedule_is_in_its_time_zone() -> None:
    berlin = parse_schedule("0 0 9 * * *", ZoneInfo("Europe/Berlin"))
    assert berlin.next_after(START) == datetime(2026, 1, 2, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "schedule", ["", "* * *", "0 0 25 * * *", "a b c d e f", "00:00:00", "nonsense:", "0 0 0 0 0 0 0"]
)
def test_what_is_no_schedule_is_refused(schedule: str) -> None:
    with pytest.raises(ValueError, match=r"NCRONTAB|time span|interval"):
        parse_schedule(schedule, UTC_ZONE)


def test_state_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "state" / "timers.json"
    TimerState(path).write("tick", START, START + timedelta(hours=1))
    assert TimerState(path).read("tick") == (START, START + timedelta(hours=1))
    assert TimerState(path).read("other") == (None, None)


@pytest.mark.parametrize("content", ["", "[]", '{"tick": 3}', '{"tick": {"last": "never", "next": 5}}'])
def test_an_unreadable_state_means_new_timers(tmp_path: Path, content: str) -> None:
    path = tmp_path / "timers.json"
    path.write_text(content)
    assert TimerState(path).read("tick") == (None, None)
