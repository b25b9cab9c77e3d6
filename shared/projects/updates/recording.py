"""Puts what came of an update on the project's record, in its run's list and beside the repository's standing."""

from __future__ import annotations

from pydantic import TypeAdapter

from shared.domain.audit import AuditTag, NewAuditEvent
from shared.domain.forge import ForgeName
from shared.domain.scaffold_update import FileMerge, Offer, Standing, UpdateOutcome, UpdateState, UpdateTask
from shared.projects.updates.ports import UpdatePorts
from shared.projects.updates.surveying import scaffold_steps, standing_of

FILES = TypeAdapter(tuple[FileMerge, ...])

_TAGS = {
    ForgeName.GITHUB: {
        UpdateState.OFFERED: AuditTag.GITHUB_SCAFFOLD_OFFERED,
        UpdateState.REVISED: AuditTag.GITHUB_SCAFFOLD_REVISED,
        UpdateState.DECLINED: AuditTag.GITHUB_SCAFFOLD_DECLINED,
        UpdateState.FAILED: AuditTag.GITHUB_SCAFFOLD_FAILED,
    },
    ForgeName.AZURE_DEVOPS: {
        UpdateState.OFFERED: AuditTag.AZURE_DEVOPS_SCAFFOLD_OFFERED,
        UpdateState.REVISED: AuditTag.AZURE_DEVOPS_SCAFFOLD_REVISED,
        UpdateState.DECLINED: AuditTag.AZURE_DEVOPS_SCAFFOLD_DECLINED,
        UpdateState.FAILED: AuditTag.AZURE_DEVOPS_SCAFFOLD_FAILED,
    },
}
_MERGED = {
    ForgeName.GITHUB: AuditTag.GITHUB_SCAFFOLD_MERGED,
    ForgeName.AZURE_DEVOPS: AuditTag.AZURE_DEVOPS_SCAFFOLD_MERGED,
}


def record_merged(ports: UpdatePorts, task: UpdateTask, merged: Offer) -> None:
    """Put on record that the team merged an offer."""
    _record(
        ports,
        task,
        _MERGED[task.forge],
        f"merged.{merged.number}",
        merged.url,
        (merged.render,),
        version=merged.version,
        number=merged.number,
    )


def keep(ports: UpdatePorts, standing: Standing) -> Standing:
    """Write down where a repository stands."""
    ports.standings.put(standing.project, standing.forge, standing)
    return standing


def conclude(ports: UpdatePorts, task: UpdateTask, outcome: UpdateOutcome) -> UpdateOutcome:
    """Put the outcome on record, in the run's list and beside the repository's standing."""
    outcome = outcome.model_copy(update={"at": ports.projects.clock.now()})
    tag = _TAGS[task.forge].get(outcome.state)
    if tag is not None:
        _record(
            ports,
            task,
            tag,
            outcome.state,
            outcome.url,
            (outcome.merge,) if outcome.merge else (),
            version=outcome.version,
            base_version=outcome.base_version,
            reason=outcome.reason,
            files={fate.value: count for fate, count in outcome.files.items()},
        )
    ports.outcomes.put(task.instance, f"{task.project}.{task.forge}", outcome)
    if standing := _known(ports, task):
        keep(ports, standing.model_copy(update={"last": outcome}))
    return outcome


def _known(ports: UpdatePorts, task: UpdateTask) -> Standing | None:
    """The repository's standing; ``None`` where the project has none on that forge."""
    record = ports.projects.project(task.project)
    if record is None or not record.plan:
        return None
    step = scaffold_steps(ports, record).get(task.forge)
    return standing_of(ports, record, step) if step else None


def _record(
    ports: UpdatePorts,
    task: UpdateTask,
    tag: AuditTag,
    step: str,
    subject: str,
    artifacts: tuple[str, ...],
    **detail: object,
) -> None:
    ports.projects.audit.append(
        task.project,
        NewAuditEvent.model_validate(
            {
                "tag": tag,
                "instance": task.instance,
                "step": f"{task.forge}.scaffold.{step}",
                "subject": subject or task.project,
                "actor": task.actor,
                "detail": detail,
                "artifacts": artifacts,
            }
        ),
    )
