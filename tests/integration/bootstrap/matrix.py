"""Which fault hits which request of which step: the rows and columns of the fault matrix, drawn from the plan itself."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from itertools import product
from typing import Any

from shared.domain.connection import Mode
from shared.domain.decision import Choice
from shared.domain.forge import ForgeName
from shared.domain.plan import Plan, PlanStep
from shared.domain.project import ProjectRequest
from shared.projects.planning import plan_for
from tests.fakes.app import App, a_connection
from tests.integration.bootstrap.forges import REAL_SECONDS, Sent
from tests.integration.bootstrap.runs import a_request

FOR_EVER = 1_000_000
SHARE = 12
"""One in so many cases is played by ``make test``; the others by ``make test-all``."""
SEED = 2026
"""Decides which. Another seed, another sample."""
FURTHER: dict[str, Any] = {"repositories": [{"name": "web-shop", "stack": "react", "description": "Its pages."}]}
"""What is asked for besides, where the steps of a further repository are what faults hit."""


@dataclass(frozen=True)
class Fault:
    """What happens to a request, the number of which is known when it is aimed."""

    name: str
    rules: Callable[[int], list[dict[str, Any]]]
    ends: bool = True
    """Whether it passes by itself. What does not needs somebody who mends it, and then decides."""
    hits_reads: bool = True
    kills: bool = False


def _one(kind: str, count: int, **more: Any) -> Callable[[int], list[dict[str, Any]]]:
    return lambda request: [{"kind": kind, "skip": request, "count": count, **more}]


def _lost_then_expired(request: int) -> list[dict[str, Any]]:
    return [*_one("expired_token", FOR_EVER)(request + 1), *_one("answer_lost", 1)(request)]


FAULTS: tuple[Fault, ...] = (
    Fault("throttled", _one("rate_limited", 2, seconds=3)),
    Fault("server error", _one("server_error", 3)),
    Fault("unavailable", _one("unavailable", 3, seconds=2)),
    Fault("slow", _one("latency", 1, seconds=0.05)),
    Fault("slower than the client waits", _one("latency", 1, seconds=REAL_SECONDS + 0.2)),
    Fault("connection reset", _one("connection_reset", 2)),
    Fault("answer lost", _one("answer_lost", 1), hits_reads=False),
    Fault("answers lost", _one("answer_lost", 3), hits_reads=False),
    Fault("process killed", lambda _: [], kills=True),
    Fault("expired credential", _one("expired_token", FOR_EVER), ends=False),
    Fault("answer lost, then expired credential", _lost_then_expired, ends=False, hits_reads=False),
    Fault("outage without end", _one("unavailable", FOR_EVER), ends=False),
)


class Outcome(StrEnum):
    """How a case is meant to end."""

    ONE_OF_EACH = "one of each"
    RETRIED = "one of each after a retry"
    COMPENSATED = "nothing left after compensation"

    @property
    def decision(self) -> Choice | None:
        """What has to be decided for it."""
        return {Outcome.RETRIED: Choice.RETRY, Outcome.COMPENSATED: Choice.COMPENSATE}.get(self)


@dataclass(frozen=True)
class Case:
    """A step, what happens to it, and how that is meant to end."""

    step: str
    fault: Fault
    outcome: Outcome

    def __str__(self) -> str:
        return f"{self.step}, {self.fault.name}: {self.outcome}"

    @property
    def forge(self) -> ForgeName:
        """The forge of the step."""
        return ForgeName(self.step.partition(".")[0])


@cache
def plan() -> Plan:
    """The plan of a request that asks for everything but further repositories, on both forges, where reviews block."""
    return _plan_of(a_request())


@cache
def further_plan() -> Plan:
    """The same, with a further repository."""
    return _plan_of(a_request(**FURTHER))


def further_steps() -> list[PlanStep]:
    """The steps of the further repository."""
    main = {step.id for step in plan().steps}
    return [step for step in further_plan().steps if step.id not in main]


def cases() -> list[Case]:
    """Every step of ``plan`` with every fault and every end it may come to."""
    return _cases(plan().steps)


def further_cases() -> list[Case]:
    """As ``cases``, of the steps of the further repository."""
    return _cases(further_steps())


def _plan_of(request: ProjectRequest) -> Plan:
    return plan_for(App().ports, request, a_connection(review_mode=Mode.ENFORCED), 2026)[0]


def _cases(steps: Iterable[PlanStep]) -> list[Case]:
    return [
        Case(step.id, fault, outcome)
        for step, fault in product(steps, FAULTS)
        for outcome in ([Outcome.ONE_OF_EACH] if fault.ends else [Outcome.RETRIED, Outcome.COMPENSATED])
    ]


def sampled(whole: Sequence[Case], share: int = SHARE) -> list[Case]:
    """A pseudo-random part of every step's cases, in their order, the same in every process."""
    chosen: set[Case] = set()
    for step in dict.fromkeys(case.step for case in whole):
        of_step = [case for case in whole if case.step == step]
        chosen.update(random.Random(f"{SEED} {step}").sample(of_step, -(-len(of_step) // share)))
    return [case for case in whole if case in chosen]


def targets(sent: Iterable[Sent], work: str, fault: Fault) -> list[int]:
    """Numbers of the requests of ``work`` that are worth hitting: the first read; the first, middle and last change."""
    requests = [one for one in sent if one.work == work]
    changes = [place for place, one in enumerate(requests) if one.method not in {"GET", "OPTIONS"}]
    reads = [place for place, one in enumerate(requests) if one.method == "GET"]
    wanted = [changes[0], changes[len(changes) // 2], changes[-1]] if changes else []
    if reads and (fault.hits_reads or not changes):
        wanted.insert(0, reads[0])
    return list(dict.fromkeys(wanted))
