"""Timer triggers: each fires on its NCRONTAB or interval, one run at a time, and a run missed while down fires once after start."""

import asyncio
import contextlib
import json
import logging
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from azure_functions_runtime.bindings.datumdef import Datum
from croniter import CroniterError, croniter

from local.host.app import Function
from local.host.invoke import Invoker, Outcome
from local.host.logs import new_id
from local.host.settings import SettingsError, parse_time_span, resolve

LOGGER = logging.getLogger("Host.Triggers.Timer")
# Azure does not monitor schedules that recur faster than this.
MONITORED_FROM = timedelta(minutes=1)
LONGEST_SLEEP = 3600.0  # seconds; a clock set meanwhile is noticed within it


class Schedule(Protocol):
    """When a timer fires."""

    def next_after(self, moment: datetime) -> datetime:
        """The first firing after a moment (aware)."""


@dataclass(frozen=True, slots=True)
class IntervalSchedule:
    """Fires every ``interval``, counted from the last firing."""

    interval: timedelta

    def next_after(self, moment: datetime) -> datetime:
        """One interval later."""
        return moment + self.interval


@dataclass(frozen=True, slots=True)
class CronSchedule:
    """Fires on an NCRONTAB expression in a time zone."""

    expression: str
    zone: ZoneInfo
    seconds_first: bool

    def next_after(self, moment: datetime) -> datetime:
        """The next time the expression matches; NCRONTAB wants day of month and day of week both to match."""
        start = moment.astimezone(self.zone)
        clock = croniter(self.expression, start, day_or=False, second_at_beginning=self.seconds_first)
        following: datetime = clock.get_next(datetime)
        return following


def parse_schedule(text: str, zone: ZoneInfo) -> Schedule:
    """Read a schedule: NCRONTAB of 6 fields (seconds first) or 5, or a TimeSpan.

    Raises:
        ValueError: neither.
    """
    text = text.strip()
    if ":" in text:
        interval = parse_time_span(text)
        if interval <= timedelta(0):
            raise ValueError(f"{text!r} is not a positive interval")
        return IntervalSchedule(interval)
    fields = text.split()
    if len(fields) not in (5, 6):
        raise ValueError(f"{text!r} is neither an NCRONTAB expression of 5 or 6 fields nor a time span hh:mm:ss")
    schedule = CronSchedule(text, zone, seconds_first=len(fields) == 6)
    try:
        schedule.next_after(datetime.now(UTC))
    except (CroniterError, ValueError, KeyError) as error:
        raise ValueError(f"{text!r} is not an NCRONTAB expression: {error}") from error
    return schedule


class TimerState:
    """The last and next firing of each monitored timer, in one small JSON file replaced atomically."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries: dict[str, dict[str, str]] = {}
        if path.exists():
            try:
                entries = json.loads(path.read_text(encoding="utf-8"))
                self._entries = {name: dict(entry) for name, entry in entries.items()}
            except (ValueError, OSError, AttributeError, TypeError) as error:
                LOGGER.warning("%s is not readable (%s); timers start as if new", path, error)

    def read(self, name: str) -> tuple[datetime | None, datetime | None]:
        """The last firing and the one expected next, where known."""
        entry = self._entries.get(name, {})
        found: list[datetime | None] = []
        for key in ("last", "next"):
            try:
                moment = datetime.fromisoformat(entry[key])
            except (KeyError, ValueError, TypeError):
                found.append(None)
            else:
                found.append(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
        return found[0], found[1]

    def write(self, name: str, last: datetime | None, following: datetime) -> None:
        """Record a timer's firings."""
        entry = {"next": following.isoformat()}
        if last is not None:
            entry["last"] = last.isoformat()
        self._entries[name] = entry
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=self._path.parent, prefix=self._path.name)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(self._entries, file)
        Path(temporary).replace(self._path)


def timer_info(*, past_due: bool, last: datetime | None, following: datetime, adjust: bool) -> str:
    """The JSON a timer function receives."""
    return json.dumps(
        {
            "Schedule": {"AdjustForDST": adjust},
            "ScheduleStatus": {
                "Last": last.isoformat() if last else "0001-01-01T00:00:00+00:00",
                "LastUpdated": last.isoformat() if last else "0001-01-01T00:00:00+00:00",
                "Next": following.isoformat(),
            },
            "IsPastDue": past_due,
        }
    )


class TimerListener:
    """Fires one function."""

    def __init__(self, function: Function, invoker: Invoker, state: TimerState, environment: Mapping[str, str]) -> None:
        self.function = function
        self._invoker = invoker
        self._state = state
        declared = str(function.binding["schedule"])
        text = resolve(declared, environment)
        try:
            self._schedule = parse_schedule(text, _zone(environment))
        except ValueError as error:
            # The declared text names the app setting to correct, where there is one.
            where = f"schedule {declared}:" if declared != text else "schedule"
            raise SettingsError(f"function {function.name}: {where} {error}") from error
        now = datetime.now(UTC)
        first = self._schedule.next_after(now)
        asked = function.binding.get("useMonitor")
        recurs = self._schedule.next_after(first) - first
        self._monitored = bool(asked) if asked is not None else recurs >= MONITORED_FROM
        self._on_startup = bool(function.binding.get("runOnStartup"))
        self._running = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to keep time."""
        self._task = asyncio.create_task(self._keep_time(), name=f"timer {self.function.name}")

    async def stop(self, grace: float) -> None:
        """Fire no more; a run in work gets ``grace`` seconds."""
        if self._task is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await self._running.acquire()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _keep_time(self) -> None:
        last, expected = self._state.read(self.function.name) if self._monitored else (None, None)
        now = datetime.now(UTC)
        if expected is not None and expected <= now:
            last = await self._fire(last, past_due=True)
        elif self._on_startup:
            last = await self._fire(last, past_due=False)
        while True:
            moment = datetime.now(UTC)
            following = self._schedule.next_after(moment)
            self._record(last, following)
            await _sleep_until(following)
            last = await self._fire(last, past_due=False)

    async def _fire(self, last: datetime | None, *, past_due: bool) -> datetime:
        fired = datetime.now(UTC)
        following = self._schedule.next_after(fired)
        async with self._running:
            outcome = await self.run(past_due=past_due, last=last, following=following)
            retries = self.function.retry or {}
            for attempt in range(1, int(retries.get("max_retry_count") or 0) + 1):
                if outcome.error is None:
                    break
                await asyncio.sleep(_retry_delay(retries, attempt))
                outcome = await self.run(past_due=past_due, last=last, following=following, attempt=attempt)
            self._record(fired, self._schedule.next_after(datetime.now(UTC)))
        return fired

    def _record(self, last: datetime | None, following: datetime) -> None:
        if not self._monitored:
            return
        try:
            self._state.write(self.function.name, last, following)
        except OSError as error:
            LOGGER.warning("The state of timer %s could not be kept: %s", self.function.name, error)

    async def run(
        self,
        *,
        past_due: bool,
        last: datetime | None,
        following: datetime,
        attempt: int = 0,
        correlation_id: str | None = None,
    ) -> Outcome:
        """Run the function once."""
        adjust = isinstance(self._schedule, CronSchedule)
        info = timer_info(past_due=past_due, last=last, following=following, adjust=adjust)
        retries = int((self.function.retry or {}).get("max_retry_count") or 0)
        return await self._invoker.run(
            self.function, Datum(info, "json"), correlation_id or new_id(), retry_count=attempt, max_retry_count=retries
        )

    async def run_by_hand(self, correlation_id: str) -> None:
        """Run now, after a run that is in work."""
        async with self._running:
            following = self._schedule.next_after(datetime.now(UTC))
            await self.run(past_due=False, last=None, following=following, correlation_id=correlation_id)


async def _sleep_until(moment: datetime) -> None:
    while True:
        remaining = (moment - datetime.now(UTC)).total_seconds()
        if remaining <= 0:
            return
        await asyncio.sleep(min(remaining, LONGEST_SLEEP))


def _retry_delay(retries: Mapping[str, Any], attempt: int) -> float:
    delay = retries.get("delay_interval")
    if isinstance(delay, timedelta):
        return delay.total_seconds()
    low, high = retries.get("minimum_interval"), retries.get("maximum_interval")
    first = low.total_seconds() if isinstance(low, timedelta) and low else 1.0
    last = high.total_seconds() if isinstance(high, timedelta) else 3600.0
    return float(min(first * 2 ** (attempt - 1), last))


def _zone(environment: Mapping[str, str]) -> ZoneInfo:
    name = environment.get("WEBSITE_TIME_ZONE") or "UTC"
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise SettingsError(f"WEBSITE_TIME_ZONE: {name!r} is not a time zone such as Europe/Berlin") from error


class TimerListeners:
    """All timer triggers of the app."""

    def __init__(
        self, functions: Sequence[Function], invoker: Invoker, state_file: Path, environment: Mapping[str, str]
    ) -> None:
        state = TimerState(state_file)
        self._listeners = {
            function.name: TimerListener(function, invoker, state, environment) for function in functions
        }

    def start(self) -> None:
        """Begin to keep time."""
        for listener in self._listeners.values():
            listener.start()

    async def stop(self, grace: float) -> None:
        """Fire no more; runs in work get ``grace`` seconds."""
        await asyncio.gather(*(listener.stop(grace) for listener in self._listeners.values()))

    async def run_by_hand(self, function: Function, value: Any, correlation_id: str) -> None:
        """Run a timer function now."""
        del value  # a timer takes no input
        await self._listeners[function.name].run_by_hand(correlation_id)
