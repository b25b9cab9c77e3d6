"""Offers today's templates to one project, or to all of a connection: a step for each repository, failures told by project."""

from __future__ import annotations

from collections import Counter
from typing import Any

from durabletask.task import OrchestrationContext, Task, when_all

from orchestrations.durable import BROKEN, Yields, call, dump, in_words
from shared.domain.scaffold_update import (
    BrokenUpdate,
    EndedRun,
    ProjectUpdate,
    Target,
    UpdateOutcome,
    UpdateRun,
    UpdateState,
    UpdateTask,
)

MOST_TOLD, LONGEST_REASON = 100, 500
"""Projects that broke, and characters of each reason, that cross to the run's end; the limit of all is 1 MiB."""

AT_ONCE = 5
"""Projects that are looked at together; more would spend a forge's budget that people need."""


def scaffold_updates(context: OrchestrationContext, payload: dict[str, Any]) -> Yields[dict[str, Any]]:
    """A run over its projects, some at once. One that cannot be updated does not stop the others."""
    run = UpdateRun.model_validate(payload)
    try:
        projects = yield from call(context, "list_update_targets", run, list[str])
    except BROKEN as error:
        reason = in_words(error)
        yield from call(context, "finish_update_run", EndedRun(run=run, broken={run.connection: reason}), str)
        return {"state": "failed", "projects": 0, "states": {}, "broken": {run.connection: reason}}
    states: Counter[str] = Counter()
    broken: dict[str, str] = {}
    for first in range(0, len(projects), AT_ONCE):
        context.set_custom_status({"projects": len(projects), "looked_at": first})
        wave = projects[first : first + AT_ONCE]
        answers = yield when_all([_child(context, run, project) for project in wave])
        for project, answer in zip(wave, answers, strict=True):
            states.update(answer["states"].values())
            if answer["broken"] and len(broken) < MOST_TOLD:
                broken[project] = answer["broken"][:LONGEST_REASON]
    context.set_custom_status({"projects": len(projects), "looked_at": len(projects)})
    state = yield from call(context, "finish_update_run", EndedRun(run=run, broken=broken), str)
    return {"state": state, "projects": len(projects), "states": dict(sorted(states.items())), "broken": broken}


def _child(context: OrchestrationContext, run: UpdateRun, project: str) -> Task[Any]:
    return context.call_sub_orchestrator(
        "scaffold_update",
        input=dump(ProjectUpdate(run=run, project=project)),
        instance_id=f"{run.instance}.{project}",
    )


def scaffold_update(context: OrchestrationContext, payload: dict[str, Any]) -> Yields[dict[str, Any]]:
    """One project: a step for each forge. It always answers, so that no project can stop a run."""
    update = ProjectUpdate.model_validate(payload)
    states: dict[str, str] = {}
    try:
        target = yield from call(context, "plan_project_update", update, Target)
        for forge in target.forges:
            task = UpdateTask(
                instance=update.run.instance,
                project=update.project,
                forge=forge,
                force=update.run.force,
                actor=update.run.actor,
            )
            states[forge] = yield from _offer(context, task)
    except BROKEN as error:
        return {"states": states, "broken": in_words(error)}
    return {"states": states, "broken": ""}


def _offer(context: OrchestrationContext, task: UpdateTask) -> Yields[UpdateState]:
    try:
        outcome = yield from call(context, "offer_scaffold_update", task, UpdateOutcome)
    except BROKEN as error:
        broken = BrokenUpdate(task=task, reason=in_words(error))
        outcome = yield from call(context, "end_broken_update", broken, UpdateOutcome)
    return outcome.state
