"""Guarantees that one identity never asks more of a forge than the forge allows, and never makes a worker wait for it.

A call that would exceed a limit raises ``TransientError`` before anything is sent. It names the time for which a place
is kept, so that those who wait come back one after the other as places become free, and not all at once. Whoever comes
first takes a place that is due; one that nobody takes is given up soon after.

The forge's own figures are the truth: the limits here only keep from running into it, and know of this process alone.
"""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import NamedTuple

from shared.adapters.pacing.windows import Limit, SlidingWindow
from shared.errors import TransientError
from shared.ports import Clock

type Costs = Mapping[str, float]
"""What a call spends, by meter."""

LONGEST_HOLD = 3600.0
# A place is kept this long past its time: a durable timer and a busy worker may be late.
PLACE_KEPT = 30.0
# Waits are stretched by up to a tenth, so that those told the same time come back apart.
STRETCH, LEAST_STRETCH, MOST_STRETCH = 0.1, 0.5, 15.0
# Clocks of a forge's servers differ a little; resets this near mean one window.
SAME_WINDOW = 5.0


class Allowance(NamedTuple):
    """How many calls the forge said are left until ``reset`` (seconds since the epoch), of those it counts together."""

    resource: str
    remaining: int
    reset: float
    limit: int | None = None


class Capacity(NamedTuple):
    """How near a limit is whose unit cannot be worked out."""

    meter: str
    used: float
    """The part of the limit in use after this call, 1 being all of it; 0 when the forge says nothing of it."""
    reset: float | None = None
    """When none will be in use if nothing more is asked, in seconds since the epoch."""


class Advice(NamedTuple):
    """What an answer of the forge said about pace."""

    hold: float | None = None
    """Seconds in which nothing more should be asked."""
    unnamed_hold: bool = False
    """The forge said to wait without saying how long; ``hold`` then doubles each time it says so again."""
    allowance: Allowance | None = None
    capacity: Capacity | None = None
    words: str = ""


NOTHING = Advice()


class Busy(NamedTuple):
    """Why a call must wait, and until when."""

    until: float
    horizon: float
    words: str


class Spending:
    """One call's costs, under way until it is ended."""

    __slots__ = ("at", "costs", "resource")

    def __init__(self, costs: Costs, resource: str, at: float) -> None:
        self.costs = costs
        self.resource = resource
        self.at = at


class Budget:
    """The limits of one identity on one forge. Safe between threads."""

    def __init__(
        self,
        forge: str,
        limits: Sequence[Limit],
        clock: Clock,
        *,
        concurrent: int = 100,
        window: float = LONGEST_HOLD,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        """``forge`` is a name for people. ``window`` is the longest any place is ahead, in seconds; a wait is stretched beyond it by 15 at most."""
        self.forge = forge
        self._clock = clock
        self._window = window
        self._concurrent = concurrent
        self._uniform = uniform
        self._windows = [SlidingWindow(limit) for limit in limits]
        self._lines: dict[tuple[tuple[str, float], ...], deque[float]] = {}
        self._allowances: dict[str, Allowance] = {}
        self._under_way: dict[str, int] = {}
        self._held = Busy(0.0, 0.0, "")
        self._unnamed = 0.0
        self._lock = threading.Lock()
        self._batch = threading.local()

    def begin(self, costs: Costs, resource: str) -> Spending:
        """Count a call as under way. Raises ``TransientError`` with the wait when it must not be made now."""
        with self._lock:
            now = self._now()
            if not self._stopped(resource, now) and self._from_batch(costs):
                return self._begun(costs, resource, now)
            self._take_place(costs, resource, now)
            for window in self._windows:
                window.begin(costs.get(window.limit.meter, 0.0))
            return self._begun(costs, resource, now)

    def end(self, spending: Spending, advice: Advice | None) -> None:
        """The call is over; with ``None`` it was never sent."""
        with self._lock:
            now = self._now()
            self._under_way[spending.resource] -= 1
            for window in self._windows:
                window.end(spending.costs.get(window.limit.meter, 0.0), None if advice is None else now)
            if advice is not None:
                self._heed(advice, now, spending)

    @contextmanager
    def batch(self, costs: Costs, resource: str = "core") -> Iterator[None]:
        """Calls of this thread that are made together or not at all, such as those of which only the last leaves a trace.

        Raises ``TransientError`` before the first of them when there is not room for all. What exceeds half of a limit
        is not kept: so large a batch would wait for ever.
        """
        kept = {
            meter: min([amount, *(w.limit.amount / 2 for w in self._windows if w.limit.meter == meter)])
            for meter, amount in costs.items()
        }
        with self._lock:
            now = self._now()
            self._take_place(kept, resource, now)
            for window in self._windows:
                window.begin(kept.get(window.limit.meter, 0.0))
        self._batch.left = dict(kept)
        try:
            yield
        finally:
            left: dict[str, float] = self._batch.left
            self._batch.left = None
            with self._lock:
                for window in self._windows:
                    window.end(left.get(window.limit.meter, 0.0), None)

    def _from_batch(self, costs: Costs) -> bool:
        """Move ``costs`` from this thread's batch to a call, when all of it is left there."""
        left: dict[str, float] | None = getattr(self._batch, "left", None)
        if not left or any(left.get(meter, 0.0) < amount for meter, amount in costs.items()):
            return False
        for meter, amount in costs.items():
            left[meter] -= amount
        return True

    def _begun(self, costs: Costs, resource: str, now: float) -> Spending:
        self._under_way[resource] = self._under_way.get(resource, 0) + 1
        return Spending(costs, resource, now)

    def _stopped(self, resource: str, now: float) -> Busy | None:
        """What the forge itself said against a call now."""
        if now < self._held.until:
            return self._held
        allowance = self._allowances.get(resource)
        if allowance is not None and now < allowance.reset:
            if allowance.remaining - self._under_way.get(resource, 0) <= 0:
                of = f" of {allowance.limit} calls" if allowance.limit else ""
                return Busy(allowance.reset, self._window, f"allowance{of} an hour ({resource}) is spent")
        elif allowance is not None:
            del self._allowances[resource]
        return None

    def _take_place(self, costs: Costs, resource: str, now: float) -> None:
        key = tuple(sorted(costs.items()))
        line = self._lines.setdefault(key, deque())
        while line and line[0] + PLACE_KEPT + MOST_STRETCH < now:
            line.popleft()
        busy = self._stopped(resource, now) or self._crowded(now)
        due = bool(line) and line[0] <= now
        for window in self._windows:
            amount = costs.get(window.limit.meter, 0.0)
            if not amount:
                continue
            # Whoever claims a place that is due needs room for that alone; others leave room for all that are kept.
            if window.has_room(amount, now) if due else window.spares(amount, now, self._kept(window.limit.meter)):
                continue
            at = window.free_at(amount, now, self._kept(window.limit.meter))
            horizon = max(window.limit.seconds, busy.horizon if busy else 0.0)
            if busy is None or at > busy.until:
                busy = Busy(at, horizon, f"budget of {window.limit.words} is spent")
            else:
                busy = busy._replace(horizon=horizon)
        if due:
            line.popleft()
        if busy is not None:
            raise self._refusal(busy, line, now)

    def _crowded(self, now: float) -> Busy | None:
        if sum(self._under_way.values()) < self._concurrent:
            return None
        return Busy(now + 1.0, self._window, f"limit of {self._concurrent} calls at a time is reached")

    def _kept(self, meter: str) -> list[tuple[float, float]]:
        """The places kept for this meter, in order of time, with what each spends."""
        kept = [(at, dict(key)[meter]) for key, line in self._lines.items() if meter in dict(key) for at in line]
        return sorted(kept)

    def _refusal(self, busy: Busy, line: deque[float], now: float) -> TransientError:
        at = max(busy.until, line[-1] if line else now)
        wait = at - now
        horizon = min(busy.horizon, self._window)
        if wait > horizon:
            # The line is longer than a window: ask again later, apart from the others, and line up then.
            wait = horizon * self._uniform(0.75, 1.0)
        else:
            line.append(at)
            wait += self._uniform(0.0, min(MOST_STRETCH, max(LEAST_STRETCH, wait * STRETCH)))
        return TransientError(f"{self.forge}'s {busy.words}; next try in {wait:.0f} s", wait)

    def _heed(self, advice: Advice, now: float, spending: Spending) -> None:
        if advice.hold is not None:
            self._hold(advice.hold, advice, now, spending)
        elif advice.allowance is None or advice.allowance.remaining > 0:
            self._unnamed = 0.0
        if advice.allowance is not None:
            self._note(advice.allowance, now)
        if advice.capacity is not None:
            self._learn(advice.capacity, now)

    def _hold(self, seconds: float, advice: Advice, now: float, spending: Spending) -> None:
        if advice.unnamed_hold:
            # Several calls under way are all told; only one sent after the wait means that it was too short.
            if spending.at >= self._held.until:
                self._unnamed = min(self._window, max(seconds, self._unnamed * 2))
            seconds = max(seconds, self._unnamed)
        until = now + min(self._window, seconds)
        if until > self._held.until:
            self._held = Busy(until, self._window, advice.words or "wish to be left alone is kept")

    def _learn(self, capacity: Capacity, now: float) -> None:
        for window in self._windows:
            if window.limit.meter != capacity.meter:
                continue
            if capacity.used <= 0:
                window.forget()
                continue
            # The calls of this window brought it this far; as many more of their kind fit as the proportion says.
            latest = now + window.limit.seconds
            reset = latest if capacity.reset is None else min(latest, capacity.reset)
            window.learn(window.spent(now) / capacity.used, reset)

    def _note(self, told: Allowance, now: float) -> None:
        known = self._allowances.get(told.resource)
        told = told._replace(reset=min(told.reset, now + self._window))
        if known is None or told.reset > known.reset + SAME_WINDOW:
            self._allowances[told.resource] = told
        elif told.reset > known.reset - SAME_WINDOW:
            # Answers overtake one another: within a window the least is the latest.
            self._allowances[told.resource] = known._replace(remaining=min(known.remaining, told.remaining))

    def _now(self) -> float:
        now: datetime = self._clock.now()
        return now.timestamp()
