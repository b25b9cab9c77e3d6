"""Tries one step: looks, changes, reads back, and writes down what it came to."""

from __future__ import annotations

import random

from shared.domain.audit import AuditTag, NewAuditEvent
from shared.domain.forge import ForgeName
from shared.domain.plan import ENDED, SUCCEEDED, Plan, PlanStep, StepOutcome, StepProgress, StepState
from shared.domain.run import StepTask
from shared.domain.run_activities import EndedStep
from shared.errors import ConflictError, DefectError, NotSupportedError, RefusedError, TransientError
from shared.projects.ports import ProjectPorts
from shared.projects.steps import definitions
from shared.projects.steps.step import StepContext, failed, waiting

LONGEST_PAUSE = 60.0

TAGS: dict[tuple[ForgeName, StepState], AuditTag] = {
    (ForgeName.GITHUB, StepState.APPLIED): AuditTag.GITHUB_STEP_APPLIED,
    (ForgeName.GITHUB, StepState.CONFIRMED): AuditTag.GITHUB_STEP_CONFIRMED,
    (ForgeName.GITHUB, StepState.UNSUPPORTED): AuditTag.GITHUB_STEP_UNSUPPORTED,
    (ForgeName.GITHUB, StepState.FAILED): AuditTag.GITHUB_STEP_FAILED,
    (ForgeName.AZURE_DEVOPS, StepState.APPLIED): AuditTag.AZURE_DEVOPS_STEP_APPLIED,
    (ForgeName.AZURE_DEVOPS, StepState.CONFIRMED): AuditTag.AZURE_DEVOPS_STEP_CONFIRMED,
    (ForgeName.AZURE_DEVOPS, StepState.UNSUPPORTED): AuditTag.AZURE_DEVOPS_STEP_UNSUPPORTED,
    (ForgeName.AZURE_DEVOPS, StepState.FAILED): AuditTag.AZURE_DEVOPS_STEP_FAILED,
}


def apply_step(ports: ProjectPorts, task: StepTask, pause_seconds: float = 1.0) -> StepOutcome:
    """One try of a step. A try after the step ended repeats what was written down and touches nothing."""
    progress, etag = _progress(ports, task)
    if progress.round != task.round and progress.state not in SUCCEEDED:
        return StepOutcome(state=StepState.SKIPPED, reason=f"round {progress.round} has begun since")
    if progress.state in ENDED:
        return StepOutcome(state=progress.state, reason=progress.reason, remedy=progress.remedy, url=progress.url)
    now = ports.clock.now()
    begun = progress.model_copy(
        update={
            "state": StepState.RUNNING if progress.state is StepState.PENDING else progress.state,
            "attempts": task.attempt,
            "started_at": progress.started_at or now,
        }
    )
    etag = ports.progress.replace(task.instance, task.step, begun, etag)
    step = Plan.model_validate_json(ports.artifacts.get(task.plan)).step(task.step)
    outcome = _try(ports, task, step, pause_seconds)
    if outcome.state is StepState.WAITING and task.last:
        outcome = failed(
            f"gave up after {task.attempt} tries: {outcome.reason}",
            outcome.remedy or "Look at the forge's status page, then ask for the project again: what is there is kept.",
            outcome.url,
        )
    if outcome.state in ENDED:
        _record(ports, task, step, outcome)
    _write(ports, task, begun.moved(outcome, ports.clock.now()), etag)
    return outcome


def end_step(ports: ProjectPorts, ended: EndedStep) -> None:
    """Write down that a step ended without another try. A step that has ended stays as it is."""
    task = ended.task
    progress, etag = _progress(ports, task)
    if progress.state in ENDED or progress.round != task.round:
        return
    if ended.state is StepState.FAILED and progress.state is StepState.PENDING:
        progress = progress.model_copy(update={"state": StepState.RUNNING})
    outcome = StepOutcome(state=ended.state, reason=ended.reason, remedy=ended.remedy)
    step = Plan.model_validate_json(ports.artifacts.get(task.plan)).step(task.step)
    _record(ports, task, step, outcome)
    _write(ports, task, progress.moved(outcome, ports.clock.now()), etag)


def _try(ports: ProjectPorts, task: StepTask, step: PlanStep, pause_seconds: float) -> StepOutcome:
    try:
        return definitions()[step.kind].ensure(context_of(ports, task), step)
    except NotSupportedError as error:
        return StepOutcome(state=StepState.UNSUPPORTED, reason=error.reason, remedy=error.remedy)
    except RefusedError as error:
        return failed(error.reason, error.remedy)
    except TransientError as error:
        pause = pause_before(task.attempt, pause_seconds, error.retry_after)
        outcome = waiting(error.reason, pause)
        return outcome.model_copy(update={"granted_seconds": error.retry_after or 0})


def context_of(ports: ProjectPorts, task: StepTask) -> StepContext:
    """What a step of ``task``'s run may use."""
    connected = ports.connect(ports.connection(task.connection))
    return StepContext(
        forges=connected.forges,
        tracker=connected.tracker,
        artifacts=ports.artifacts,
        ledger=ports.ledger(task.project, task.instance, whole=task.whole),
        hook_secret=ports.hook_secret,
        together=ports.together,
        memory=task.memory,
        settings=connected.settings,
    )


def pause_before(attempt: int, pause_seconds: float, retry_after: float | None) -> float:
    """Seconds to wait after try number ``attempt``: what the forge asked for, else exponential with full jitter."""
    if retry_after is not None:
        return retry_after
    ceiling = min(LONGEST_PAUSE, pause_seconds * 2.0 ** min(attempt - 1, 16))
    return random.uniform(ceiling / 2, ceiling)  # noqa: S311 - spreads load, hides nothing  # nosec B311


def _record(ports: ProjectPorts, task: StepTask, step: PlanStep, outcome: StepOutcome) -> None:
    tag = AuditTag.STEP_SKIPPED if outcome.state is StepState.SKIPPED else TAGS[step.forge, outcome.state]
    detail = outcome.model_dump(mode="json", exclude={"wait_seconds"}) | {"step": step.id, "attempts": task.attempt}
    ports.audit.append(
        task.project,
        NewAuditEvent(
            tag=tag,
            instance=task.instance,
            step=step.id if task.round == 1 else f"{step.id}.{task.round}",
            subject=outcome.url or step.title,
            detail=detail,
            artifacts=(task.plan,),
        ),
    )


def _progress(ports: ProjectPorts, task: StepTask) -> tuple[StepProgress, str]:
    found = ports.progress.get(task.instance, task.step)
    if found is None:
        raise DefectError(f"step {task.step} of {task.instance} was never planned")
    return found


def _write(ports: ProjectPorts, task: StepTask, progress: StepProgress, etag: str) -> None:
    try:
        ports.progress.replace(task.instance, task.step, progress, etag)
    except ConflictError:
        # A redelivered twin of this activity wrote meanwhile. What has ended stays; else ours is as good as theirs.
        found, latest = _progress(ports, task)
        if found.state not in ENDED:
            ports.progress.replace(task.instance, task.step, progress, latest)
