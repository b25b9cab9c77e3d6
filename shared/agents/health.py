"""How an agent has been answering lately, so that one that fails or grows slow is seen before somebody misses it."""

from __future__ import annotations

import statistics
from datetime import datetime
from enum import StrEnum

from pydantic import Field

from shared.domain.forge import Frozen
from shared.domain.review import AgentName, AgentReport
from shared.errors import ConflictError
from shared.ports import Records

REMEMBERED = 20
"""Answers that count; older ones say little about today."""
PARTITION = "agents"
"""Of the records."""
_TRIES = 5
FAILING_AFTER = 3
"""Answers in a row with trouble, after which an agent is failing: one may be a throttled minute."""


class HealthState(StrEnum):
    """How an agent is."""

    SILENT = "silent"
    """It was never asked."""
    HEALTHY = "healthy"
    TROUBLED = "troubled"
    """Its last answer had trouble."""
    FAILING = "failing"


class Answer(Frozen):
    """One answer, in short."""

    at: datetime
    seconds: float = Field(ge=0, allow_inf_nan=False)
    opinions: int = Field(ge=0)
    tokens: int = Field(default=0, ge=0)
    model: str = ""
    trouble: str = Field(default="", max_length=500)


class AgentHealth(Frozen):
    """The latest answers of one agent."""

    agent: AgentName
    answers: tuple[Answer, ...] = Field(default=(), max_length=REMEMBERED, description="Newest first.")
    asked: int = Field(default=0, ge=0, description="Ever.")
    failed: int = Field(default=0, ge=0, description="Answers with trouble, ever.")

    @property
    def state(self) -> HealthState:
        """How it is, by its latest answers."""
        if not self.answers:
            return HealthState.SILENT
        latest = self.answers[:FAILING_AFTER]
        if len(latest) == FAILING_AFTER and all(one.trouble for one in latest):
            return HealthState.FAILING
        return HealthState.TROUBLED if self.answers[0].trouble else HealthState.HEALTHY

    @property
    def median_seconds(self) -> float | None:
        """The usual duration of an answer; none while there is none."""
        return statistics.median(one.seconds for one in self.answers) if self.answers else None

    @property
    def last_trouble(self) -> Answer | None:
        """The latest answer with trouble among those remembered."""
        return next((one for one in self.answers if one.trouble), None)


def after(health: AgentHealth | None, report: AgentReport, at: datetime) -> AgentHealth:
    """``health`` with one more answer. Raises ``ValueError`` for the answer of another agent."""
    known = health or AgentHealth(agent=report.agent)
    if known.agent is not report.agent:
        raise ValueError(f"an answer of {report.agent} is none of {known.agent}")
    answer = Answer(
        at=at,
        seconds=report.seconds,
        opinions=len(report.opinions),
        tokens=report.tokens,
        model=report.model,
        trouble=report.trouble[:500],
    )
    return AgentHealth(
        agent=known.agent,
        answers=(answer, *known.answers)[:REMEMBERED],
        asked=known.asked + 1,
        failed=known.failed + bool(report.trouble),
    )


class AgentView(Frozen):
    """An agent as the API shows it."""

    agent: AgentName
    state: HealthState
    asked: int = Field(ge=0, description="Ever.")
    failed: int = Field(ge=0, description="Answers with trouble, ever.")
    median_seconds: float | None = Field(
        default=None, description="Of its latest answers; none while it was never asked."
    )
    last: Answer | None = Field(default=None, description="Its latest answer.")
    last_trouble: Answer | None = Field(default=None, description="The latest with trouble among those remembered.")


class AgentsView(Frozen):
    """How all agents are."""

    agents: tuple[AgentView, ...]
    model: str = Field(default="", description="Name of the model they may ask; empty: none is connected.")
    model_trouble: str = Field(
        default="", description="Why the model that settings name is not asked; empty: it is, or none is named."
    )


def remember(records: Records[AgentHealth], report: AgentReport, at: datetime) -> None:
    """Keep one more answer.

    Of hundreds that arrive at the same moment one may be left out: health is a hint, and no review waits for it.
    """
    for _ in range(_TRIES):
        found = records.get(PARTITION, report.agent.value)
        now = after(found[0] if found else None, report, at)
        try:
            if found:
                records.replace(PARTITION, report.agent.value, now, found[1])
            else:
                records.create(PARTITION, report.agent.value, now)
        except ConflictError:
            continue
        return


def view_of(records: Records[AgentHealth], *, model: str, model_trouble: str) -> AgentsView:
    """Every agent, those that were never asked as well."""
    kept = {health.agent: health for _, _, health in records.list(PARTITION)}
    return AgentsView(
        agents=tuple(_shown(kept.get(name) or AgentHealth(agent=name)) for name in AgentName),
        model=model,
        model_trouble=model_trouble,
    )


def _shown(health: AgentHealth) -> AgentView:
    return AgentView(
        agent=health.agent,
        state=health.state,
        asked=health.asked,
        failed=health.failed,
        median_seconds=health.median_seconds,
        last=health.answers[0] if health.answers else None,
        last_trouble=health.last_trouble,
    )
