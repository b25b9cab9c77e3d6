"""Forges in memory that count requests against the real limits on a virtual clock, and refuse what exceeds them.

GitHub: 5,000 requests in a fixed hour, 80 and 500 creations in any minute and hour, 900 points in any minute. Azure
DevOps: 200 throughput units in any five minutes. What a call costs there is published nowhere; assumed are a quarter of
a unit for a call that looks and one for a call that changes, the same for both sides of the comparison.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Mapping
from typing import Any

from bench.forge_calls import Recorded, Request
from shared.adapters.azure_devops.errors import translated as translated_azure
from shared.adapters.azure_devops.limits import advice_of as azure_advice
from shared.adapters.github.errors import translated as translated_github
from shared.adapters.github.limits import CONTENT, SECONDARY
from shared.adapters.github.limits import advice_of as github_advice
from shared.adapters.pacing import Advice, Costs, Limit, Pace
from shared.domain.forge import ForgeName
from shared.errors import DonerightError
from tests.fakes.storage import MemoryClock

HOUR, FIVE_MINUTES = 3600.0, 300.0
PRIMARY, UNITS = 5000, 200.0
LOOKS, CHANGES = 0.25, 1.0
_CHANGING = ("create_", "commit_", "protect_", "require_", "delete_", "add_", "set_")
# The service shows how much is left once a good part is used.
_SHOWN_FROM = 0.5


def units(method: str) -> float:
    """What each request of a call is assumed to cost on Azure DevOps."""
    return CHANGES if method.startswith(_CHANGING) else LOOKS


class Sliding:
    """What a forge counts in any window of time."""

    def __init__(self, amount: float, seconds: float) -> None:
        self.amount = amount
        self.seconds = seconds
        self._seen: deque[tuple[float, float]] = deque()
        self.used = 0.0

    def at(self, now: float) -> float:
        """What is in use at ``now``."""
        while self._seen and self._seen[0][0] + self.seconds <= now:
            self.used -= self._seen.popleft()[1]
        return self.used

    def add(self, amount: float, now: float) -> None:
        """Count ``amount``."""
        self._seen.append((now, amount))
        self.used += amount


class LimitedGitHub:
    """GitHub's side of a request."""

    def __init__(self, clock: MemoryClock) -> None:
        self._clock = clock
        self._reset = 0.0
        self._left = PRIMARY
        self._unlimited = False
        self._windows: list[tuple[Limit, Sliding]] = [
            (limit, Sliding(limit.amount, limit.seconds)) for limit in SECONDARY
        ]
        self.spent: Counter[str] = Counter()
        self.refused = 0

    def answer(self, request: Request, method: str) -> tuple[bool, Advice, DonerightError | None]:
        """Whether it is let in, what the answer says of pace, and what it is translated to otherwise."""
        del method
        now = self._clock.now().timestamp()
        if now >= self._reset or self._unlimited:
            self._reset, self._left = now + HOUR, PRIMARY
        within = all(w.at(now) + request.costs.get(limit.meter, 0.0) <= w.amount + 1e-6 for limit, w in self._windows)
        if not self._left or not within:
            self.refused += 1
            headers = self._headers() | ({} if not self._left else {"retry-after": "60"})
            failure = translated_github(
                403, headers, {"message": "API rate limit exceeded"}, action="a request", now=self._clock.now()
            )
            return False, github_advice(403, headers, request.resource, failure), failure
        self._left -= 1
        self.spent["requests"] += 1
        for limit, window in self._windows:
            window.add(request.costs.get(limit.meter, 0.0), now)
        self.spent.update({meter: int(amount) for meter, amount in request.costs.items()})
        return True, github_advice(200, self._headers(), request.resource), None

    def lift(self) -> None:
        """Count only."""
        self._windows = []
        self._unlimited = True

    def _headers(self) -> dict[str, str]:
        return {
            "x-ratelimit-limit": str(PRIMARY),
            "x-ratelimit-remaining": str(self._left),
            "x-ratelimit-reset": str(int(self._reset) + 1),
            "x-ratelimit-resource": "core",
        }

    def bound(self) -> float:
        """The least seconds in which anybody could make the requests that were let in."""
        least = self._least(self.spent["requests"], PRIMARY, HOUR)
        minute, hour, points = SECONDARY
        created = self.spent[CONTENT]
        hours = (created - 1) // int(hour.amount)
        rest = created - hours * int(hour.amount)
        creating = hours * hour.seconds + self._least(rest, minute.amount, minute.seconds)
        return max(least, creating, self._least(self.spent[points.meter], points.amount, points.seconds))

    @staticmethod
    def _least(spent: int, amount: float, seconds: float) -> float:
        return max(0, spent - 1) // amount * seconds


class LimitedAzureDevOps:
    """Azure DevOps' side of a request. Beyond its limit it delays, and blocks what comes while it does."""

    def __init__(self, clock: MemoryClock) -> None:
        self._clock = clock
        self._window = Sliding(UNITS, FIVE_MINUTES)
        self.spent = 0.0
        self.refused = 0

    def answer(self, request: Request, method: str) -> tuple[bool, Advice, DonerightError | None]:
        """Whether it is let in, what the answer says of pace, and what it is translated to otherwise."""
        del request
        now = self._clock.now().timestamp()
        cost = units(method)
        if self._window.at(now) + cost > self._window.amount + 1e-6:
            self.refused += 1
            headers = self._headers(now) | {"Retry-After": "30"}
            failure = translated_azure(429, headers, None, action="a request", now=self._clock.now())
            return False, azure_advice(429, headers, failure), failure
        self._window.add(cost, now)
        self.spent += cost
        shown = self._window.used >= UNITS * _SHOWN_FROM
        return True, azure_advice(200, self._headers(now) if shown else {}), None

    def lift(self) -> None:
        """Count only."""
        self._window.amount = math.inf

    def _headers(self, now: float) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(int(UNITS)),
            "X-RateLimit-Remaining": f"{max(0.0, UNITS - self._window.used):.3f}",
            "X-RateLimit-Reset": str(int(now + FIVE_MINUTES)),
            "X-RateLimit-Resource": "Core/TSTU",
        }

    def bound(self) -> float:
        """The least seconds in which anybody could make the requests that were let in."""
        return max(0.0, self.spent - LOOKS) // UNITS * FIVE_MINUTES


class Limited:
    """A fake forge before which every call pays, request by request, what the real adapter's requests were seen to cost."""

    def __init__(
        self,
        fake: Any,
        name: ForgeName,
        pace: Pace | None,
        side: LimitedGitHub | LimitedAzureDevOps,
        recorded: Recorded,
        batches: Mapping[int, Costs],
    ) -> None:
        """Without a ``pace`` nothing is limited and all is counted."""
        self._fake = fake
        self._name = name
        self._pace = pace
        self._side = side
        self._recorded = recorded
        self._batches = batches
        self._made: Counter[tuple[str, str]] = Counter()

    def __getattr__(self, method: str) -> Any:
        found = getattr(self._fake, method)
        if not callable(found) or (self._name, method) not in self._recorded:
            return found

        def call(*args: Any, **options: Any) -> Any:
            self._pay(method, (method, repr(args[:2])))
            return found(*args, **options)

        return call

    def _pay(self, method: str, call: tuple[str, str]) -> None:
        """Send the requests of a call. Creations of a try that was broken off are found, unless they belong together."""
        requests = self._recorded[self._name, method]
        batch = next((request.together for request in requests if request.together), 0)
        found = self._made[call]
        for request in requests:
            if request.together and request.together == batch:
                break
            if request.costs.get(CONTENT):
                if found:
                    found -= 1
                    continue
                self._send(request, method)
                self._made[call] += 1
                continue
            self._send(request, method)
        if batch:
            rest = requests[next(i for i, request in enumerate(requests) if request.together) :]
            if self._pace is None:
                for request in rest:
                    self._send(request, method)
            else:
                with self._pace.batch(self._batches[batch]):
                    for request in rest:
                        self._send(request, method)
        del self._made[call]

    def _send(self, request: Request, method: str) -> None:
        if self._pace is None:
            self._side.answer(request, method)
            return
        with self._pace.call(self._name, request.costs, request.resource) as call:
            let_in, advice, failure = self._side.answer(request, method)
            call.end(answered=True, advice=advice)
        if not let_in and failure is not None:
            raise failure
