"""What people and scripts see of a project: its plan, each step, its links and its record."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from shared.domain.adoption import AdoptedRequest, Adoption
from shared.domain.audit import AuditEvent
from shared.domain.decision import Question
from shared.domain.forge import ForgeName, Frozen
from shared.domain.plan import ENDED, SUCCEEDED, Reversal, ReversalState, StepProgress, StepState, taken_back
from shared.domain.project import ProjectRequest, RequestOrigin
from shared.domain.run import ProjectRecord, ProjectState
from shared.projects.ports import PROJECTS, ProjectPorts


class StepView(Frozen):
    """A step as it is shown."""

    id: str
    title: str
    forge: ForgeName
    depends_on: tuple[str, ...]
    state: StepState
    attempts: int
    seconds: float | None = Field(description="From its first try to its end, or to now while it runs.")
    started_at: datetime | None
    finished_at: datetime | None
    reason: str
    remedy: str
    url: str
    reversal: Reversal | None = Field(
        default=None, description="What taking it back came to; `with_container` is never shown."
    )


class RecordView(Frozen):
    """The project's log, as far as a page shows it."""

    size: int
    root: str
    events_url: str
    verify_url: str
    latest: tuple[AuditEvent, ...] = ()


class StatusView(Frozen):
    """A project as it is shown."""

    id: str
    name: str
    state: ProjectState
    reason: str
    connection: str
    run: int
    instance: str
    request: ProjectRequest | AdoptedRequest
    origin: RequestOrigin
    created_at: datetime
    started_at: datetime
    finished_at: datetime | None
    done: int = Field(description="Steps that succeeded.")
    ended: int
    total: int
    steps: tuple[StepView, ...]
    plan: str = Field(description="Digest of the plan in the artifact store.")
    record: RecordView
    view_url: str = Field(description="Read-only page of this project for whoever holds the link.")
    question: Question | None = Field(
        default=None, description="The decision the run waits for, or the one that was made."
    )
    links: dict[Literal["github", "azure_devops", "issue"], str]
    adoption: Adoption | None = Field(default=None, description="Of a project that was there before Doneright.")


def status(ports: ProjectPorts, project_id: str, *, latest: int = 20) -> StatusView | None:
    """The project as it stands, with the last ``latest`` events of its record; ``None`` when there is none."""
    record = ports.project(project_id)
    if record is None:
        return None
    now = ports.clock.now()
    steps = ports.steps(record.instance)
    back = taken_back(steps)
    head = ports.audit.head(project_id)
    events = ports.audit.events(project_id, max(0, head.size - latest), latest) if latest else ()
    return StatusView(
        id=record.id,
        name=record.name,
        state=record.state,
        reason=record.reason,
        connection=record.connection,
        run=record.run,
        instance=record.instance,
        request=record.request,
        origin=record.origin,
        created_at=record.created_at,
        started_at=record.started_at,
        finished_at=record.finished_at,
        done=sum(step.state in SUCCEEDED and back.get(step.step) is not ReversalState.REMOVED for step in steps),
        ended=sum(step.state in ENDED for step in steps),
        total=len(steps),
        steps=tuple(_step(step, now, back.get(step.step)) for step in steps),
        plan=record.plan,
        record=RecordView(
            size=head.size,
            root=head.root,
            events_url=ports.links.api(f"audit/{record.id}"),
            verify_url=ports.links.api(f"audit/{record.id}/verify"),
            latest=tuple(events),
        ),
        view_url=ports.links.status(record.id),
        question=record.question,
        adoption=record.adoption,
        links=_links(record, steps),
    )


def listed(ports: ProjectPorts) -> list[ProjectRecord]:
    """Every project, the latest first."""
    rows = [record for _, _, record in ports.projects.list(PROJECTS, limit=10_000)]
    return sorted(rows, key=lambda record: record.started_at, reverse=True)


def _step(step: StepProgress, now: datetime, back: ReversalState | None) -> StepView:
    seconds = None
    if step.started_at:
        seconds = round(((step.finished_at or now) - step.started_at).total_seconds(), 3)
    return StepView(
        id=step.step,
        title=step.title,
        forge=step.forge,
        depends_on=step.depends_on,
        state=step.state,
        attempts=step.attempts,
        seconds=seconds,
        started_at=step.started_at,
        finished_at=step.finished_at,
        reason=step.reason,
        remedy=step.remedy,
        url=step.url,
        reversal=step.reversal.model_copy(update={"state": back}) if step.reversal and back else None,
    )


def _links(record: ProjectRecord, steps: list[StepProgress]) -> dict[Literal["github", "azure_devops", "issue"], str]:
    links: dict[Literal["github", "azure_devops", "issue"], str] = {}
    gone = {step for step, state in taken_back(steps).items() if state is ReversalState.REMOVED}
    by_id = {step.step: step.url for step in steps if step.url and step.step not in gone}
    if url := by_id.get("azure_devops.project"):
        links["azure_devops"] = url
    if url := by_id.get("github.repository"):
        links["github"] = url
    if record.origin.url:
        links["issue"] = record.origin.url
    return links
