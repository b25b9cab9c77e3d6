"""Fires every timer of the engine, in order of its due time, from one thread however many there are."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import durabletask.internal.orchestrator_service_pb2 as pb

_LONGEST_SLEEP_SECONDS = 30.0  # a laptop that slept, or a clock that was set, is noticed within this time


class TimerKind(StrEnum):
    """What happens when a timer is due."""

    ORCHESTRATION = "orchestration"
    START = "start"
    ENTITY_SIGNAL = "entity_signal"
    TURN = "turn"
    """A turn that waited for more results; never saved, since a restored instance is ready at once."""


@dataclass(frozen=True)
class Timer:
    """One timer, due at an absolute time (UTC)."""

    kind: TimerKind
    due: datetime
    target: str
    """The instance id, or the entity id of a delayed signal."""
    execution_id: str = ""
    """The generation that made it: a timer never fires into another one."""
    timer_id: int = 0
    event: pb.HistoryEvent | None = None


class TimerQueue:
    """A heap of timers and the one thread that waits for the next.

    Args:
        fire: called with the timers that are due, while the lock is held: a timer is never out of the heap and not
            yet applied when someone else looks, so a snapshot cannot miss it.
        lock: the engine's lock, shared so that the above holds.
        clock: seconds since the epoch; tests pass their own and call `run_due`.
    """

    def __init__(
        self,
        fire: Callable[[list[Timer]], None],
        lock: threading.RLock | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._fire = fire
        self._clock = clock
        self._heap: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self._changed = threading.Condition(lock or threading.RLock())
        self._thread: threading.Thread | None = None
        self._stopping = False

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, timer: Timer) -> None:
        """Schedule a timer; one already due fires at once, from the timer thread."""
        with self._changed:
            heapq.heappush(self._heap, (timer.due.timestamp(), next(self._order), timer))
            if self._heap[0][2] is timer:
                self._changed.notify()

    def pending(self) -> list[Timer]:
        """Every timer that has not fired, soonest first."""
        with self._changed:
            return [entry[2] for entry in sorted(self._heap, key=lambda entry: entry[:2])]

    def keep_only(self, wanted: Callable[[Timer], bool]) -> None:
        """Drop every timer that is not wanted."""
        with self._changed:
            self._heap = [entry for entry in self._heap if wanted(entry[2])]
            heapq.heapify(self._heap)

    def run_due(self) -> int:
        """Fire all timers that are due now; returns how many."""
        with self._changed:
            due = self._take_due()
            if due:
                self._fire(due)
        return len(due)

    def start(self) -> None:
        """Start the thread."""
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="engine-timers", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; timers stay for `pending`."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def clear(self) -> None:
        """Drop every timer."""
        with self._changed:
            self._heap.clear()

    def _take_due(self) -> list[Timer]:
        now = self._clock()
        due: list[Timer] = []
        while self._heap and self._heap[0][0] <= now:
            due.append(heapq.heappop(self._heap)[2])
        return due

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._stopping:
                    return
                due = self._take_due()
                if not due:
                    left = self._heap[0][0] - self._clock() if self._heap else _LONGEST_SLEEP_SECONDS
                    self._changed.wait(min(max(left, 0.001), _LONGEST_SLEEP_SECONDS))
                else:
                    self._fire(due)
