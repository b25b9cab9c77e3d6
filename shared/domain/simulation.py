"""What a policy would have decided: the question, and the answer pull request by pull request."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from shared.domain.change import ChangeRef
from shared.domain.definition import CriterionId, Pin
from shared.domain.forge import ForgeName, Frozen
from shared.domain.policy import Enforcement, Level, Weakening
from shared.domain.review import Outcome, Ruling

MOST_CHANGES = 100


class AskedSimulation(Frozen):
    """A policy that is tried, and on what; also the input of its runbook."""

    id: str
    project: str
    forge: ForgeName | None = Field(default=None, description="None: both.")
    policy: str = Field(description="Digest of its text in the artifact store.")
    level: Level = Field(default=Level.REPOSITORY, description="Whose word it is taken for.")
    last: int = Field(default=20, ge=1, le=MOST_CHANGES)
    actor: str = Field(default="doneright", description="Pseudonym of who asked.")


class Difference(Frozen):
    """A criterion that is taken otherwise, or came out otherwise, under the policy that was tried."""

    criterion: CriterionId
    before: Enforcement = Field(description="`off`: the review did not ask for it.")
    after: Enforcement
    outcome_before: Outcome | None = None
    outcome_after: Outcome | None = None
    blocks_before: bool = False
    blocks_after: bool = False
    reason: str = Field(default="", description="What the new outcome rests on.")


class SimulatedChange(Frozen):
    """One pull request."""

    ref: ChangeRef
    title: str
    url: str = ""
    head: str = Field(default="", description="SHA that was reviewed; empty: there is no stored review.")
    reviewed_at: datetime | None = None
    before: Ruling | None = Field(default=None, description="What was ruled then; None: nobody reviewed it.")
    after: Ruling | None = Field(default=None, description="What the policy would have ruled.")
    reason: str
    differences: tuple[Difference, ...] = ()
    unknown: tuple[CriterionId, ...] = Field(
        default=(), description="Criteria of which nobody can tell any more how they would have come out."
    )


class SimulationState(StrEnum):
    """Where a simulation stands."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


class Simulated(Frozen):
    """What the policy would have decided; stored as an artifact."""

    definition: Pin
    weakenings: tuple[Weakening, ...] = Field(
        default=(), description="What it asks for less than a wider level demands; that has no effect."
    )
    faults: tuple[str, ...] = Field(default=(), description="What is wrong with a wider level, or with a forge.")
    changes: tuple[SimulatedChange, ...] = ()
    counts: dict[str, int] = Field(
        default_factory=dict, description="`passed → failed` and so on, and `not reviewed`: how many."
    )


class SimulationRecord(Frozen):
    """A simulation as it is kept."""

    asked: AskedSimulation
    state: SimulationState = SimulationState.RUNNING
    reason: str = ""
    result: str = Field(default="", description="Digest of the `Simulated` in the artifact store.")
    created_at: datetime
    finished_at: datetime | None = None


class BrokenSimulation(Frozen):
    """Input of the end of a simulation that broke off."""

    asked: AskedSimulation
    reason: str


class SimulationView(Frozen):
    """A simulation as the API shows it."""

    id: str
    project: str
    state: SimulationState
    reason: str = ""
    level: Level
    last: int
    created_at: datetime
    finished_at: datetime | None = None
    result: Simulated | None = None
