"""Counts what was spent in a sliding window of time, and tells when there is room for more."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

# Sums of fractions (TSTUs, shares) must not refuse the last whole call.
_ROUNDING = 1e-6


class Limit(NamedTuple):
    """At most ``amount`` of ``meter`` in any ``seconds`` seconds; ``words`` stand in the reason of a wait."""

    meter: str
    amount: float
    seconds: float
    words: str


class SlidingWindow:
    """Spending of one meter. What is under way counts until its answer came, since the other side counts it only then.

    Times are seconds since the epoch, by any one clock. Not safe between threads: its owner locks.
    """

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self._learned: tuple[float, float] | None = None
        self._under_way = 0.0
        self._spent: deque[tuple[float, float]] = deque()
        self._total = 0.0

    def begin(self, amount: float) -> None:
        """Count ``amount`` as under way."""
        self._under_way += amount

    def end(self, amount: float, now: float | None) -> None:
        """``amount`` is under way no longer: spent ``now``, or with ``None`` never asked for."""
        self._under_way = max(0.0, self._under_way - amount)
        if now is not None and amount > 0:
            self._spent.append((now, amount))
            self._total += amount

    def learn(self, amount: float, until: float) -> None:
        """The other side lets in ``amount`` rather than what the limit says, until the time it gave."""
        self._learned = (max(1.0, amount), until)

    def forget(self) -> None:
        """The limit is as documented again."""
        self._learned = None

    def amount(self, now: float) -> float:
        """What the limit is at ``now``."""
        if self._learned is not None and now >= self._learned[1]:
            self._learned = None
        return self.limit.amount if self._learned is None else self._learned[0]

    def used(self, now: float) -> float:
        """What counts against the limit at ``now``."""
        while self._spent and self._spent[0][0] + self.limit.seconds <= now:
            self._total -= self._spent.popleft()[1]
        if not self._spent:
            self._total = 0.0
        return self._under_way + self._total

    def spent(self, now: float) -> float:
        """The part of ``used`` that was answered."""
        return self.used(now) - self._under_way

    def has_room(self, amount: float, now: float) -> bool:
        """Whether ``amount`` more stays within the limit."""
        most = self.amount(now)
        return self.used(now) + min(amount, most) <= most + _ROUNDING

    def spares(self, amount: float, now: float, promised: Sequence[tuple[float, float]]) -> bool:
        """Whether ``amount`` can be spent now and every promise still be kept at its time.

        ``promised`` holds (time, amount) of spending to come, in order of time.
        """
        if not self.has_room(amount, now):
            return False
        most, seconds = self.amount(now), self.limit.seconds
        load = self.used(now) + min(amount, most)
        spent, kept = iter(self._spent), deque[tuple[float, float]]()
        oldest = next(spent, None)
        for at, size in promised:
            if at >= now + seconds:
                break  # What is spent now counts no longer by then.
            load += size
            kept.append((at, size))
            while oldest is not None and oldest[0] + seconds <= at:
                load -= oldest[1]
                oldest = next(spent, None)
            while kept[0][0] + seconds <= at:
                load -= kept.popleft()[1]
            if load > most + _ROUNDING:
                return False
        return True

    def free_at(self, amount: float, now: float, promised: Sequence[tuple[float, float]] = ()) -> float:
        """The earliest time from ``now`` on with room for ``amount``, given what is promised.

        ``promised`` holds (time, amount) of spending to come, in order of time.
        """
        seconds = self.limit.seconds
        most = self.amount(now)
        excess = self.used(now) + sum(size for _, size in promised) + min(amount, most) - most - _ROUNDING
        if excess <= 0:
            return now
        freed = 0.0
        at = now
        # The oldest spending goes first; what is under way may be counted as late as now.
        for when, size in (*self._spent, (now, self._under_way), *promised):
            freed += size
            at = when + seconds
            if freed >= excess:
                break
        return max(now, at if self._learned is None else min(at, self._learned[1]))
