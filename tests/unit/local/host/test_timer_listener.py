"""A timer fires once for what it missed, tries a failed run again as told, and keeps time even when nothing can be kept."""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from azure_functions_runtime.bindings.datumdef import Datum

from local.host.app import Function, Trigger
from local.host.invoke import Outcome
from local.host.settings import SettingsError
from local.host.timers import TimerListeners, _retry_delay

YEARLY = "0 0 0 1 1 *"
HOUR_AGO = (datetime.now(UTC) - timedelta(hours=1)).isoformat()


class FakeInvoker:
    """Fails as often as it is told to, then succeeds."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.runs: list[tuple[dict[str, Any], dict[str, Any]]] = []

    async def run(self, function: Function, trigger: Datum, correlation_id: str, **options: Any) -> Outcome:
        self.runs.append((json.loads(trigger.value), options))
        if len(self.runs) <= self.failures:
            return Outcome("id", error=ValueError("not yet"))
        return Outcome("id")


def timer(schedule: str = YEARLY, retry: Mapping[str, Any] | None = None, **binding: Any) -> Function:
    described = {"type": "timerTrigger", "name": "timer", "schedule": schedule, **binding}
    return Function(
        name="tick",
        function_id="tick",
        directory="",
        trigger=Trigger.TIMER,
        trigger_name="timer",
        binding=described,
        outputs={},
        client_inputs=(),
        bindings=(described,),
        is_async=True,
        delivers=False,
        retry=retry,
    )


def listeners(function: Function, invoker: FakeInvoker, state: Path, **environment: str) -> TimerListeners:
    return TimerListeners([function], invoker, state, environment)  # type: ignore[arg-type]


async def serve(made: TimerListeners, condition: Callable[[], Any]) -> None:
    made.start()
    try:
        async with asyncio.timeout(20):
            while not condition():
                await asyncio.sleep(0.005)
    finally:
        await made.stop(5)


async def test_it_runs_on_startup_and_keeps_when(tmp_path: Path) -> None:
    state, invoker = tmp_path / "timers.json", FakeInvoker()
    await serve(listeners(timer(runOnStartup=True), invoker, state), state.exists)
    ((info, options),) = invoker.runs
    assert info["IsPastDue"] is False
    assert info["Schedule"] == {"AdjustForDST": True}
    assert options == {"retry_count": 0, "max_retry_count": 0}
    entry = json.loads(state.read_text())["tick"]
    assert datetime.fromisoformat(entry["next"]) > datetime.now(UTC)


@pytest.mark.parametrize(("monitored", "past_due"), [(None, [True]), (True, [True]), (False, [])])
async def test_a_missed_run_is_made_up_for_once_where_it_is_monitored(
    tmp_path: Path, monitored: bool | None, past_due: list[bool]
) -> None:
    state, invoker = tmp_path / "timers.json", FakeInvoker()
    missed = json.dumps({"tick": {"last": HOUR_AGO, "next": HOUR_AGO}})
    state.write_text(missed)
    asked = {} if monitored is None else {"useMonitor": monitored}
    made = listeners(timer(**asked), invoker, state)
    made.start()
    for _ in range(20):
        await asyncio.sleep(0.001)
    await made.stop(5)
    assert [info["IsPastDue"] for info, _ in invoker.runs] == past_due
    assert (state.read_text() == missed) is (monitored is False)


async def test_it_fires_each_time_its_interval_is_over(tmp_path: Path) -> None:
    invoker = FakeInvoker()
    made = listeners(timer("00:00:00.02"), invoker, tmp_path / "timers.json")
    await serve(made, lambda: len(invoker.runs) >= 3)
    assert {info["IsPastDue"] for info, _ in invoker.runs} == {False}
    assert invoker.runs[0][0]["Schedule"] == {"AdjustForDST": False}
    assert not (tmp_path / "timers.json").exists()  # Azure does not monitor what recurs within a minute


@pytest.mark.parametrize(("failures", "attempts"), [(1, [0, 1]), (9, [0, 1, 2])])
async def test_a_failed_run_is_tried_again_as_often_as_it_says(
    tmp_path: Path, failures: int, attempts: list[int]
) -> None:
    state, invoker = tmp_path / "timers.json", FakeInvoker(failures)
    retry = {"max_retry_count": 2, "delay_interval": timedelta(0)}
    await serve(listeners(timer(retry=retry, runOnStartup=True), invoker, state), state.exists)
    assert [options["retry_count"] for _, options in invoker.runs] == attempts
    assert {options["max_retry_count"] for _, options in invoker.runs} == {2}


@pytest.mark.parametrize(
    ("retry", "delays"),
    [
        ({"delay_interval": timedelta(seconds=7)}, [7.0, 7.0, 7.0]),
        ({"minimum_interval": timedelta(seconds=2), "maximum_interval": timedelta(seconds=5)}, [2.0, 4.0, 5.0]),
        ({}, [1.0, 2.0, 4.0]),
    ],
)
def test_delays_between_attempts(retry: dict[str, Any], delays: list[float]) -> None:
    assert [_retry_delay(retry, attempt) for attempt in (1, 2, 3)] == delays


async def test_a_state_that_cannot_be_written_stops_no_timer(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("in the way")
    invoker = FakeInvoker()
    with caplog.at_level(logging.WARNING):
        made = listeners(timer(runOnStartup=True), invoker, tmp_path / "file" / "timers.json")
        await serve(made, lambda: invoker.runs and "could not be kept" in caplog.text)
    assert len(invoker.runs) == 1


async def test_a_run_by_hand_is_told_when_the_next_is_due(tmp_path: Path) -> None:
    invoker, function = FakeInvoker(), timer()
    made = listeners(function, invoker, tmp_path / "timers.json")
    await made.run_by_hand(function, {"ignored": 1}, "by-hand")
    ((info, _),) = invoker.runs
    assert info["IsPastDue"] is False
    assert info["ScheduleStatus"]["Last"].startswith("0001-01-01")
    assert datetime.fromisoformat(info["ScheduleStatus"]["Next"]) > datetime.now(UTC)
    await made.stop(0)  # never started: nothing to stop


@pytest.mark.parametrize(
    ("schedule", "environment", "said"),
    [
        ("often", {}, "function tick: schedule 'often' is neither"),
        ("%WHEN%", {"WHEN": "often"}, "function tick: schedule %WHEN%: 'often' is neither"),
        ("%MISSING%", {}, "MISSING"),
        (YEARLY, {"WEBSITE_TIME_ZONE": "Mars/Base"}, "'Mars/Base' is not a time zone"),
    ],
)
def test_what_cannot_be_a_timer_is_refused(
    tmp_path: Path, schedule: str, environment: dict[str, str], said: str
) -> None:
    with pytest.raises(SettingsError, match=said):
        listeners(timer(schedule), FakeInvoker(), tmp_path / "timers.json", **environment)
