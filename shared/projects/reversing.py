"""Takes back one step of a run: removes what that run itself made, reads back, and writes down what it came to."""

from __future__ import annotations

from shared.domain.audit import AuditTag, NewAuditEvent
from shared.domain.forge import ForgeName
from shared.domain.plan import Plan, PlanStep, Reversal, ReversalState, StepProgress
from shared.domain.run import StepTask
from shared.errors import ConflictError, DefectError, NotSupportedError, RefusedError, TransientError
from shared.projects.applying import context_of, pause_before
from shared.projects.ports import ProjectPorts
from shared.projects.steps import definitions
from shared.projects.steps.step import kept, not_removed, removing

TAGS: dict[tuple[ForgeName, ReversalState], AuditTag] = {
    (ForgeName.GITHUB, ReversalState.REMOVED): AuditTag.GITHUB_STEP_REVERSED,
    (ForgeName.GITHUB, ReversalState.FAILED): AuditTag.GITHUB_STEP_KEPT,
    (ForgeName.AZURE_DEVOPS, ReversalState.REMOVED): AuditTag.AZURE_DEVOPS_STEP_REVERSED,
    (ForgeName.AZURE_DEVOPS, ReversalState.FAILED): AuditTag.AZURE_DEVOPS_STEP_KEPT,
}
"""What is worth a line in the log; that nothing was this run's own to remove is not."""

REMEDY = "Remove it by hand; the status page links to it."


def reverse_step(ports: ProjectPorts, task: StepTask, pause_seconds: float = 1.0) -> Reversal:
    """One try of taking a step back. A try after it ended repeats what was written down and touches nothing."""
    progress, etag = _progress(ports, task)
    known = progress.reversal
    if known is not None and known.state is not ReversalState.WAITING:
        return known
    step = Plan.model_validate_json(ports.artifacts.get(task.plan)).step(task.step)
    reversal = _try(ports, task, step, progress, pause_seconds)
    if reversal.state is ReversalState.WAITING and task.last:
        reversal = not_removed(f"gave up after {task.attempt} tries: {reversal.reason}", reversal.remedy or REMEDY)
    _write(ports, task, step, progress, etag, reversal)
    return reversal


def end_reversal(ports: ProjectPorts, task: StepTask, reason: str) -> None:
    """Write down that taking a step back broke off. One that has ended stays as it is."""
    progress, etag = _progress(ports, task)
    if progress.reversal is not None and progress.reversal.state is not ReversalState.WAITING:
        return
    step = Plan.model_validate_json(ports.artifacts.get(task.plan)).step(task.step)
    _write(ports, task, step, progress, etag, not_removed(reason, REMEDY))


def _try(ports: ProjectPorts, task: StepTask, step: PlanStep, progress: StepProgress, pause_seconds: float) -> Reversal:
    if progress.started_at is None and progress.round == 1:
        return kept("it was never begun")
    reverse = definitions()[step.kind].reverse
    if reverse is None:
        return kept("it makes nothing that outlives what it stands in")
    try:
        return reverse(context_of(ports, task), step)
    except (NotSupportedError, RefusedError) as error:
        return not_removed(error.reason, error.remedy or REMEDY)
    except TransientError as error:
        pause = pause_before(task.attempt, pause_seconds, error.retry_after)
        reversal = removing(error.reason, pause, **task.memory)
        return reversal.model_copy(update={"granted_seconds": error.retry_after or 0})


def _write(
    ports: ProjectPorts, task: StepTask, step: PlanStep, progress: StepProgress, etag: str, reversal: Reversal
) -> None:
    if tag := TAGS.get((step.forge, reversal.state)):
        ports.audit.append(
            task.project,
            NewAuditEvent(
                tag=tag,
                instance=task.instance,
                step=f"{step.id}.reverse",
                subject=progress.url or step.title,
                detail={"step": step.id, "reason": reversal.reason, "remedy": reversal.remedy},
                artifacts=(task.plan,),
            ),
        )
    try:
        ports.progress.replace(task.instance, task.step, progress.model_copy(update={"reversal": reversal}), etag)
    except ConflictError:
        # A redelivered twin wrote meanwhile. What has ended stays; else ours is as good as theirs.
        found, latest = _progress(ports, task)
        if found.reversal is None or found.reversal.state is ReversalState.WAITING:
            ports.progress.replace(task.instance, task.step, found.model_copy(update={"reversal": reversal}), latest)


def _progress(ports: ProjectPorts, task: StepTask) -> tuple[StepProgress, str]:
    found = ports.progress.get(task.instance, task.step)
    if found is None:
        raise DefectError(f"step {task.step} of {task.instance} was never planned")
    return found
