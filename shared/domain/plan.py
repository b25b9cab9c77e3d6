"""A plan is data: steps, what each depends on, and the states a step may pass through."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from enum import StrEnum

from pydantic import Field, JsonValue, model_validator

from shared.domain.forge import ForgeName, Frozen


class StepState(StrEnum):
    """Where a step stands."""

    PENDING = "pending"
    RUNNING = "running"
    WAITING = "waiting"
    APPLIED = "applied"
    CONFIRMED = "confirmed"
    UNSUPPORTED = "unsupported"
    FAILED = "failed"
    SKIPPED = "skipped"


SUCCEEDED = frozenset({StepState.APPLIED, StepState.CONFIRMED, StepState.UNSUPPORTED})
"""States that let dependants start. *Unsupported* is reported, and is not a failure."""

ENDED = SUCCEEDED | {StepState.FAILED, StepState.SKIPPED}

MOVES: dict[StepState, frozenset[StepState]] = {
    StepState.PENDING: frozenset({StepState.RUNNING, StepState.SKIPPED}),
    StepState.RUNNING: frozenset({StepState.RUNNING, StepState.WAITING, StepState.FAILED}) | SUCCEEDED,
    StepState.WAITING: frozenset({StepState.RUNNING, StepState.WAITING, StepState.FAILED}) | SUCCEEDED,
    **{state: frozenset({state}) for state in ENDED},
}
"""Legal moves; an ended state only repeats itself, because an activity may run more than once."""


class PlanStep(Frozen):
    """One resource to be as planned."""

    id: str = Field(description="Unique in the plan: `forge.kind`.")
    kind: str = Field(description="Names the implementation in shared/projects/steps.")
    forge: ForgeName
    title: str
    depends_on: tuple[str, ...] = ()
    inputs: dict[str, JsonValue] = Field(default_factory=dict)


class Plan(Frozen):
    """A directed acyclic graph of steps, with what it was drawn from."""

    version: int = Field(default=1, description="Of the plan's definition; pinned for the life of a run.")
    project: str
    connection: str
    steps: tuple[PlanStep, ...]

    @model_validator(mode="after")
    def _is_a_dag(self) -> Plan:
        known: set[str] = set()
        for step in self.steps:
            if step.id in known:
                raise ValueError(f"step {step.id} stands twice")
            if unknown := set(step.depends_on) - known:
                raise ValueError(f"step {step.id} depends on {sorted(unknown)}, which does not stand before it")
            known.add(step.id)
        return self

    def step(self, step_id: str) -> PlanStep:
        """The step of that id; ``KeyError`` when there is none."""
        for step in self.steps:
            if step.id == step_id:
                return step
        raise KeyError(step_id)


class StepOutcome(Frozen):
    """What trying a step came to."""

    state: StepState
    reason: str = ""
    remedy: str = ""
    url: str = ""
    wait_seconds: float = Field(default=0, ge=0, description="For a waiting step: seconds until the next try.")
    granted_seconds: float = Field(
        default=0, ge=0, description="Of these, what the forge or its budget asked for; a deadline does not count them."
    )
    observed: dict[str, JsonValue] = Field(default_factory=dict, description="What was read back.")


class ReversalState(StrEnum):
    """What taking a step back came to."""

    WAITING = "waiting"
    REMOVED = "removed"
    KEPT = "kept"
    WITH_CONTAINER = "with_container"
    FAILED = "failed"


class Reversal(Frozen):
    """What taking back a step's work came to.

    *Kept* says why there was nothing of this run's own to remove; *with container* names the project or repository
    of this run's that takes it along when its own reversal, which comes later, removes it.
    """

    state: ReversalState
    reason: str = ""
    remedy: str = ""
    wait_seconds: float = Field(default=0, ge=0, description="For a waiting reversal: seconds until the next try.")
    granted_seconds: float = Field(default=0, ge=0, description="Of these, what the forge or its budget asked for.")
    observed: dict[str, JsonValue] = Field(default_factory=dict, description="What the next try should remember.")


class StepProgress(Frozen):
    """A step as the status page shows it."""

    step: str
    title: str
    forge: ForgeName
    kind: str
    depends_on: tuple[str, ...] = ()
    order: int = 0
    state: StepState = StepState.PENDING
    attempts: int = 0
    reason: str = ""
    remedy: str = ""
    url: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    round: int = Field(default=1, ge=1, description="Which round of tries it is in.")
    reversal: Reversal | None = Field(default=None, description="What taking it back came to, or has come to so far.")

    def again(self, round_number: int) -> StepProgress:
        """The progress at the start of another round: a step that did not succeed is to be tried once more."""
        if self.state in SUCCEEDED or self.round >= round_number:
            return self
        return self.model_copy(
            update={
                "state": StepState.PENDING,
                "round": round_number,
                "attempts": 0,
                "reason": "",
                "remedy": "",
                "started_at": None,
                "finished_at": None,
            }
        )

    def moved(self, outcome: StepOutcome, now: datetime) -> StepProgress:
        """The progress after ``outcome``; raises ``ValueError`` for a move that is not in ``MOVES``."""
        if outcome.state not in MOVES[self.state]:
            raise ValueError(f"step {self.step} cannot go from {self.state} to {outcome.state}")
        return self.model_copy(
            update={
                "state": outcome.state,
                "reason": outcome.reason,
                "remedy": outcome.remedy,
                "url": outcome.url or self.url,
                # A step that was never tried has no time of its own.
                "started_at": self.started_at or (None if outcome.state is StepState.SKIPPED else now),
                "finished_at": (self.finished_at or now) if outcome.state in ENDED else None,
            }
        )


def ready(
    steps: Iterable[tuple[str, Collection[str]]], succeeded: Collection[str], begun: Collection[str]
) -> list[str]:
    """Steps, in plan order, whose dependencies have all succeeded and that have not begun."""
    return [s for s, needs in steps if s not in begun and all(n in succeeded for n in needs)]


def blocked(steps: Iterable[tuple[str, Collection[str]]], lost: Collection[str], begun: Collection[str]) -> list[str]:
    """Steps, in plan order, that can never start because one they depend on failed or was itself blocked."""
    out: list[str] = []
    for s, needs in steps:
        if s not in begun and any(n in lost or n in out for n in needs):
            out.append(s)
    return out


CONTAINERS = frozenset({"project", "repository"})
"""Kinds of steps that make what others stand in."""


def taken_back(steps: Iterable[StepProgress]) -> dict[str, ReversalState]:
    """What taking back came to, by step. One that goes with its container shares its fate.

    Its container is the nearest step it waits for, directly or not, that makes a project or repository; where it waits
    for none, the first such step of its forge. A repository may itself go with its project.
    """
    rows = sorted(steps, key=lambda step: step.order)
    known = {step.step: step for step in rows}

    def container(step: StepProgress) -> StepProgress | None:
        seen, near = {step.step}, list(step.depends_on)
        while near:
            ancestors = [known[one] for one in near if one in known and one not in seen]
            seen.update(near)
            if found := next((one for one in ancestors if one.kind in CONTAINERS), None):
                return found
            near = [one for ancestor in ancestors for one in ancestor.depends_on]
        first = next((one for one in rows if one.forge is step.forge and one.kind in CONTAINERS), step)
        return None if first.step == step.step else first

    def fate(step: StepProgress) -> ReversalState:
        if step.reversal is None:
            return ReversalState.WAITING
        if step.reversal.state is not ReversalState.WITH_CONTAINER:
            return step.reversal.state
        within = container(step)
        return fate(within) if within else ReversalState.WAITING

    return {step.step: fate(step) for step in rows if step.reversal is not None}
