"""Guarantees that a forge which does not answer is asked by one call at a time, at intervals, until it answers again."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from enum import StrEnum

from shared.errors import TransientError
from shared.ports import Clock

_log = logging.getLogger(__name__)


class CircuitState(StrEnum):
    """Whether calls are made."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
    """One call is on its way to find out."""


class Entry:
    """A call that was let through."""

    __slots__ = ("generation", "probe")

    def __init__(self, generation: int, probe: bool) -> None:
        self.generation = generation
        self.probe = probe


class CircuitBreaker:
    """The circuit to one host. Safe between threads, and holds no lock while a call is made."""

    def __init__(
        self,
        forge: str,
        clock: Clock,
        *,
        failures: int,
        pause: float,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        """Opens after ``failures`` calls in a row without an answer, for ``pause`` seconds. ``forge`` is for people."""
        self.forge = forge
        self._clock = clock
        self._most = failures
        self._pause = pause
        self._uniform = uniform
        self._lock = threading.Lock()
        self._failures = 0
        self._until: float | None = None
        self._probing: Entry | None = None
        self._generation = 0

    @property
    def state(self) -> CircuitState:
        """Where the circuit stands. Open until the next call, however long the pause is over."""
        with self._lock:
            if self._until is None:
                return CircuitState.CLOSED
            return CircuitState.HALF_OPEN if self._probing else CircuitState.OPEN

    def enter(self) -> Entry:
        """Let a call through; tell ``leave`` how it ended. Raises ``TransientError`` with the wait while open."""
        with self._lock:
            now = self._now()
            if self._until is None:
                return Entry(self._generation, probe=False)
            # Never longer than a pause, whatever the clock was set to.
            self._until = min(self._until, now + self._pause)
            remaining = self._until - now
            if remaining <= 0 and self._probing is None:
                self._probing = Entry(self._generation, probe=True)
                return self._probing
            # While the probe is on its way, as long as it would take to hear that it failed; and apart from one another.
            wait = (remaining if remaining > 0 else self._pause) + self._uniform(0.0, self._pause / 4)
            raise TransientError(
                f"{self.forge} has not answered {self._failures} times in a row; next try in {wait:.0f} s", wait
            )

    def leave(self, entry: Entry, answered: bool | None) -> None:
        """How a call ended; ``None``: it was never sent, or its end tells nothing."""
        with self._lock:
            if entry.generation != self._generation:
                return  # Sent before the circuit changed; the change has taken newer calls into account.
            if entry.probe:
                self._probing = None
            if answered:
                self._close(entry)
            elif answered is False:
                self._failures += 1
                if entry.probe or self._failures >= self._most:
                    self._open()

    def _close(self, entry: Entry) -> None:
        if entry.probe:
            self._generation += 1
            self._until = None
            _log.warning("%s answers again", self.forge)
        self._failures = 0

    def _open(self) -> None:
        self._generation += 1
        self._probing = None
        self._until = self._now() + self._pause
        _log.warning("%s has not answered %d times in a row; %g s pause", self.forge, self._failures, self._pause)

    def _now(self) -> float:
        return self._clock.now().timestamp()
