"""A run takes one request to a project; the records it keeps and what passes between its activities."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import Field, JsonValue

from shared.domain.faults import FieldFault
from shared.domain.forge import Frozen
from shared.domain.project import ProjectRequest, RequestOrigin


class RunInput(Frozen):
    """What a run starts with. Everything it needs later is here or in records keyed by it."""

    instance: str
    subject: str
    run: int = Field(ge=1)
    connection: str
    origin: RequestOrigin
    content_digest: str
    form: str = Field(default="", description="Digest of the issue's markdown in the artifact store.")
    request: ProjectRequest | None = Field(default=None, description="Already validated, from the API.")
    step_deadline_seconds: int = 1800
    step_pause_seconds: float = 1.0


class ProjectState(StrEnum):
    """Where a project stands."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    ADVISED = "advised"


class ProjectRecord(Frozen):
    """A project as Doneright knows it; its id is claimed by the first request for it."""

    id: str
    name: str
    connection: str
    subject: str
    run: int
    instance: str
    state: ProjectState
    request: ProjectRequest
    origin: RequestOrigin
    plan: str = Field(default="", description="Digest of the plan in the artifact store.")
    reason: str = ""
    created_at: datetime
    started_at: datetime
    finished_at: datetime | None = None


class Admission(Frozen):
    """Whether a request may run."""

    project: str = Field(default="", description="Id of the claimed project; empty when refused.")
    reason: str = ""
    remedy: str = ""
    faults: tuple[FieldFault, ...] = ()

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


class StepTask(Frozen):
    """Input of one try of a step."""

    instance: str
    project: str
    connection: str
    plan: str
    step: str
    attempt: int = Field(ge=1)
    memory: dict[str, JsonValue] = Field(
        default_factory=dict, description="What the try before observed while it waited: an operation's id."
    )
    last: bool = Field(default=False, description="True when the deadline has passed: an unfinished try has failed.")


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


class Refusal(Frozen):
    """Input of the answer to a refused request."""

    run: RunInput
    admission: Admission
