"""A run takes one request to a project; the records it keeps and what passes between its activities."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import Field, JsonValue

from shared.domain.adoption import AdoptedRequest, Adoption
from shared.domain.decision import Choice, Question
from shared.domain.faults import FieldFault
from shared.domain.forge import Frozen
from shared.domain.project import ProjectRequest, RequestOrigin


class Runbook(StrEnum):
    """What carries a run out."""

    BOOTSTRAP = "bootstrap"
    REMOVAL = "removal"


class RunInput(Frozen):
    """What a run starts with. Everything it needs later is here or in records keyed by it."""

    instance: str
    subject: str
    run: int = Field(ge=1)
    connection: str
    origin: RequestOrigin
    content_digest: str
    form: str = Field(default="", description="Digest of the issue's markdown in the artifact store.")
    request: ProjectRequest | AdoptedRequest | None = Field(
        default=None, description="Already validated, from the API."
    )
    runbook: Runbook = Runbook.BOOTSTRAP
    step_deadline_seconds: int = 1800
    step_pause_seconds: float = 1.0
    decision_seconds: int = Field(
        default=0, description="How long a failed run waits for a person's decision; 0: it ends as failed at once."
    )


class ProjectState(StrEnum):
    """Where a project stands."""

    RUNNING = "running"
    AWAITING_DECISION = "awaiting_decision"
    COMPENSATING = "compensating"
    COMPLETED = "completed"
    ACCEPTED = "accepted"
    COMPENSATED = "compensated"
    FAILED = "failed"
    ADVISED = "advised"
    ADOPTABLE = "adoptable"
    REMOVING = "removing"
    REMOVED = "removed"


UNDER_WAY = frozenset(
    {ProjectState.RUNNING, ProjectState.AWAITING_DECISION, ProjectState.COMPENSATING, ProjectState.REMOVING}
)
"""States in which a run of the project has not ended."""


class ProjectRecord(Frozen):
    """A project as Doneright knows it; its id is claimed by the first request for it."""

    id: str
    name: str
    connection: str
    subject: str
    run: int
    instance: str
    state: ProjectState
    request: ProjectRequest | AdoptedRequest
    origin: RequestOrigin
    adoption: Adoption | None = Field(default=None, description="Of a project that was there before Doneright.")
    plan: str = Field(default="", description="Digest of the plan in the artifact store.")
    reason: str = ""
    question: Question | None = Field(default=None, description="The latest decision this run asked for.")
    created_at: datetime
    started_at: datetime
    finished_at: datetime | None = None

    @property
    def round(self) -> int:
        """Which round of tries the run is in: each decision to retry begins another."""
        asked = self.question
        if asked is None:
            return 1
        return asked.round + (asked.decision is not None and asked.decision.choice is Choice.RETRY)


class Admission(Frozen):
    """Whether a request may run."""

    project: str = Field(default="", description="Id of the claimed project; empty when refused.")
    reason: str = ""
    remedy: str = ""
    faults: tuple[FieldFault, ...] = ()
    owner_unknown: str = Field(default="", description="Why nobody could tell whether an admitted owner exists.")

    @property
    def admitted(self) -> bool:
        """True when a project was claimed."""
        return bool(self.project)


class DrawnStep(Frozen):
    """What the runbook needs of a step."""

    id: str
    depends_on: tuple[str, ...] = ()


class DrawnPlan(Frozen):
    """What the runbook needs of a plan; the plan itself is an artifact."""

    digest: str
    steps: tuple[DrawnStep, ...]
    advisory: bool = False
    round: int = Field(default=1, ge=1, description="Where the run stood: later than 1 when a lost run is taken up.")


class StepTask(Frozen):
    """Input of one try of a step."""

    instance: str
    project: str
    connection: str
    plan: str
    step: str
    attempt: int = Field(ge=1)
    round: int = Field(default=1, ge=1)
    memory: dict[str, JsonValue] = Field(
        default_factory=dict, description="What the try before observed while it waited: an operation's id."
    )
    last: bool = Field(default=False, description="True when the deadline has passed: an unfinished try has failed.")
    whole: bool = Field(
        default=False, description="True when a reversal may take back what any run of the project made."
    )


class StepRun(Frozen):
    """Input of the runbook of one step."""

    task: StepTask
    deadline_seconds: int
    pause_seconds: float


class Conclusion(Frozen):
    """Input of a run's end."""

    run: RunInput
    project: str
    states: dict[str, str]
    reason: str = ""
    choice: Choice | None = Field(default=None, description="How a run that failed was decided to end.")


class Refusal(Frozen):
    """Input of the answer to a refused request."""

    run: RunInput
    admission: Admission
