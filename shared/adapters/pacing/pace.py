"""Decides before each call to a forge whether it may be sent now, and learns from each answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

from shared.adapters.pacing.breaker import CircuitBreaker, CircuitState
from shared.adapters.pacing.budget import NOTHING, Advice, Budget, Costs
from shared.adapters.pacing.windows import Limit
from shared.ports import Clock

FAILURES = 5
PAUSE = 20.0


class Call:
    """One call that was let through; its sender says how it ended."""

    __slots__ = ("advice", "answered")

    def __init__(self) -> None:
        self.answered: bool | None = None
        self.advice = NOTHING

    def end(self, *, answered: bool, advice: Advice = NOTHING) -> None:
        """``answered`` is whether the forge works: any answer but a server error. ``advice`` is what it said of pace."""
        self.answered = answered
        self.advice = advice


class Pace:
    """What one identity may ask of one forge; the circuits are shared by all who ask the same host."""

    def __init__(self, pacing: Pacing, budget: Budget) -> None:
        self._pacing = pacing
        self._budget = budget

    @contextmanager
    def call(self, host: str, costs: Costs, resource: str = "core") -> Iterator[Call]:
        """Around one request to ``host``, sent once.

        Raises ``TransientError`` with the wait, before anything is sent or spent, when the circuit to the host is open
        or the budget is spent.
        """
        circuit = self._pacing.circuit(self._budget.forge, host)
        entry = circuit.enter()
        try:
            spending = self._budget.begin(costs, resource)
        except BaseException:
            circuit.leave(entry, None)
            raise
        call = Call()
        try:
            yield call
        finally:
            # A call whose end nobody told was sent all the same.
            self._budget.end(spending, call.advice)
            circuit.leave(entry, call.answered)

    def batch(self, costs: Costs) -> AbstractContextManager[None]:
        """Around calls of this thread that are made together or not at all. Raises ``TransientError`` as ``call``."""
        return self._budget.batch(costs)


class Pacing:
    """All budgets and circuits of a process. Other processes have their own; the forges' answers are what they share."""

    def __init__(self, clock: Clock, *, share: float = 1.0, failures: int = FAILURES, pause: float = PAUSE) -> None:
        """``share`` is this process's part of each limit; see ``CircuitBreaker`` for ``failures`` and ``pause``."""
        self._clock = clock
        self._share = share
        self._failures = failures
        self._pause = pause
        self._lock = threading.Lock()
        self._paces: dict[tuple[str, ...], Pace] = {}
        self._circuits: dict[str, CircuitBreaker] = {}

    def pace(
        self, forge: str, identity: Sequence[str], limits: Sequence[Limit], *, concurrent: int, window: float
    ) -> Pace:
        """The pace of ``identity``, the same for all who give the same; free of secrets, it is kept."""
        key = (forge, *identity)
        with self._lock:
            if key not in self._paces:
                mine = [limit._replace(amount=max(1.0, limit.amount * self._share)) for limit in limits]
                budget = Budget(forge, mine, self._clock, concurrent=concurrent, window=window)
                self._paces[key] = Pace(self, budget)
            return self._paces[key]

    def circuit(self, forge: str, host: str) -> CircuitBreaker:
        """The circuit to ``host``."""
        with self._lock:
            if host not in self._circuits:
                self._circuits[host] = CircuitBreaker(forge, self._clock, failures=self._failures, pause=self._pause)
            return self._circuits[host]

    def states(self) -> dict[str, CircuitState]:
        """Where each circuit stands, by host."""
        with self._lock:
            circuits = dict(self._circuits)
        return {host: circuit.state for host, circuit in circuits.items()}
