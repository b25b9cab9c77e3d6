"""Finds where the forges differ from what a finished project was planned to be, and changes nothing."""

from __future__ import annotations

from shared.domain.audit import AuditTag, NewAuditEvent
from shared.domain.forge import Frozen
from shared.domain.plan import Plan
from shared.domain.run import ProjectRecord, ProjectState
from shared.errors import DefectError, RefusedError
from shared.projects.ports import PROJECTS, ProjectPorts
from shared.projects.previewing import Change, StepPreview, preview

AS_PLANNED = frozenset({Change.NONE, Change.NOT_SUPPORTED})


class DriftTask(Frozen):
    """One project to look at."""

    project: str
    instance: str


class Drift(Frozen):
    """Where a project stands beside its plan."""

    project: str
    drifted: bool
    steps: tuple[StepPreview, ...]


def finished(ports: ProjectPorts) -> list[str]:
    """Ids of the projects that were completed and whose connection is not paused."""
    paused = {c.id for _, _, c in ports.connections.list() if c.paused}
    return [
        record.id
        for _, _, record in ports.projects.list(PROJECTS, limit=100_000)
        if record.state is ProjectState.COMPLETED and record.connection not in paused
    ]


def look(ports: ProjectPorts, project_id: str) -> Drift:
    """The project beside the plan it was made from. Raises ``RefusedError`` for one that is not finished."""
    record = ports.project(project_id)
    if record is None:
        raise DefectError(f"project {project_id} does not exist")
    if record.state is not ProjectState.COMPLETED:
        raise RefusedError(
            f"project {project_id} is {record.state}", "Only what was completed can drift; look at its status page."
        )
    return _look(ports, record)


def look_and_record(ports: ProjectPorts, task: DriftTask) -> Drift:
    """``look``, with what was found on the project's record."""
    drift = look(ports, task.project)
    if drift.drifted:
        ports.audit.append(
            task.project,
            NewAuditEvent(
                tag=AuditTag.DRIFT_DETECTED,
                instance=task.instance,
                step="look",
                subject=task.project,
                detail={
                    step.id: f"{step.change}: {step.reason or step.first_call}"
                    for step in drift.steps
                    if step.change not in AS_PLANNED
                },
            ),
        )
    return drift


def _look(ports: ProjectPorts, record: ProjectRecord) -> Drift:
    plan = Plan.model_validate_json(ports.artifacts.get(record.plan))
    # The plan's own scaffolds lie in the store; nothing needs to be rendered to look.
    steps = tuple(preview(ports, ports.connection(record.connection), plan, {}))
    return Drift(project=record.id, drifted=any(step.change not in AS_PLANNED for step in steps), steps=steps)
